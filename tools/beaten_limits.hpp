// Limits that a measured time has beaten become limits that hold: a machine that was busy when they were measured can
// do more than they say.
#pragma once

#include <functional>
#include <vector>

#include "tools/roofline.hpp"

namespace rnnc::tools {

/// Measures one figure of the limits anew.
struct Gauge {
  std::function<double()> flops;                // f32 operations a second
  std::function<double(double bytes)> reading;  // bytes a second, of a working set of so many
};

/// Returns the gauge of this machine. A figure takes it about five times as long as the first measurement of all.
Gauge gauge_of_this_machine();

/// Raises `limits` where `works`, one after the other, took only `seconds` and the limits say that they take longer.
/// The figures that decide this are measured anew, and better ones count from then on. Where the works still took less,
/// the figures are raised to what the works have shown. Returns whether the limits had been beaten; they hold
/// afterwards.
bool correct_limits(const std::vector<Work>& works, double seconds, const Gauge& gauge, Limits& limits);

}  // namespace rnnc::tools
