// Results of rnnc bench become the page of --html: one file without scripts and without fonts or pictures from
// elsewhere, for screens of any width.
#pragma once

#include <string>
#include <vector>

#include "tools/bench_result.hpp"

namespace rnnc::tools {

/// Returns HTML with figures, a table and a distribution for each of `results`, of which there is one or more. All are
/// judged by `limits`, those at the end of the run. `command` is the command line that the page is of.
std::string bench_page(std::vector<BenchResult> results, const Limits& limits, const std::string& command);

}  // namespace rnnc::tools
