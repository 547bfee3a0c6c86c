// How the times of calls are distributed at one shape.
#pragma once

#include <string>

#include "tools/bench_result.hpp"

namespace rnnc::tools {

/// The part of calls that took at most so long, for rnnc and the baseline, with median and 99th percentile as dots.
std::string latency_plot(const BenchResult& result);

}  // namespace rnnc::tools
