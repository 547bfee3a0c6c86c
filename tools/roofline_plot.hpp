// Results of rnnc bench become the roofline of a bench page: what one core can do at each arithmetic intensity, and
// where the shapes lie. Its conventions are those of docs/roofline.svg, which scripts/bench draws of a whole grid.
#pragma once

#include <string>
#include <vector>

#include "tools/bench_result.hpp"

namespace rnnc::tools {

/// Draws a point for each of `results` that reads weights at all, with its number from 1 where they are few; hollow
/// points are the baseline's. Returns "" where there is no point.
std::string roofline_plot(const std::vector<BenchResult>& results, const Limits& limits, double width, double height);

}  // namespace rnnc::tools
