// The page of rnnc bench --html: one file without script, font or picture of others, for screens of any width.
#pragma once

#include <string>
#include <vector>

#include "tools/bench_result.hpp"

namespace rnnc::tools {

/// HTML with figures, a table and a distribution for each of `results`, of which there is one or more.
std::string bench_page(const std::vector<BenchResult>& results, const Limits& limits);

}  // namespace rnnc::tools
