// rnnc bench --machine: measurements of this machine become a table or JSON, a file of the cache folder, and a row for
// the table of families of compiler/schedule/machine.cpp; the times of a few shapes tell how good predictions by them
// are.
#pragma once

#include <rnnc/result.hpp>

namespace rnnc::tools {

/// Takes less than 20 seconds. Returns the exit code. Errors: Unsupported where what was measured makes no sense; those
/// of make_contest.
Result<int> bench_machine(bool json);

}  // namespace rnnc::tools
