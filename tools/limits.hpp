// Measurements become the limits of one core of this machine: f32 operations a second, and bytes read a second from
// working sets of any size. They take about a second, so the figures are kept in the cache folder; figures that cannot
// be read there are measured anew, and so are those that a shape has beaten (tools/beaten_limits.hpp).
#pragma once

#include "compiler/schedule/limits.hpp"

namespace rnnc::tools {

using compiler::Limits;
using compiler::ReadSpeed;

Limits measure_limits();

/// Measures one figure for about `seconds`.
double measure_flops(double seconds);
double measure_reading(double bytes, double seconds);

/// Reads the limits from the cache folder if they are there; else measures the limits and puts them there.
Limits load_limits();

/// Puts the limits into the cache folder, where it may be written, and returns the path of the file; "" where it may
/// not or cannot.
std::string keep_limits(const Limits& limits);

}  // namespace rnnc::tools
