// The flags --target and --isa of rnnc compile become the CPUs that a file is made for.
#pragma once

#include <string>
#include <vector>

#include <rnnc/result.hpp>

namespace rnnc::tools {

/// Returns the CPUs in the order in which an object wants them: a CPU with wider vectors comes later, so that the first
/// call takes it where it can. Where nothing is said these are the levels of x86-64, since a file that
/// is made here is often used elsewhere. Errors: Usage.
Result<std::vector<std::string>> targets_of(const std::vector<std::string>& targets);

}  // namespace rnnc::tools
