// The result of a shape becomes a plot of how the times of its calls are distributed.
#pragma once

#include <string>

#include "tools/bench_result.hpp"

namespace rnnc::tools {

/// Plots over each time the part of the calls that took at most that long, for rnnc and the baseline, with median and
/// 99th percentile as dots.
std::string latency_plot(const BenchResult& result);

}  // namespace rnnc::tools
