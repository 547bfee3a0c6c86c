// The names of CPUs that code can be made for, and whose back end makes it: for messages and completion.
#pragma once

#include <string>
#include <vector>

namespace rnnc::compiler {

/// Every name that resolve_target takes but "host", sorted: LLVM's of x86-64 CPUs, and `aarch64-` before those of
/// AArch64.
std::vector<std::string> cpu_names();

/// "19.1.7"
std::string llvm_version();

}  // namespace rnnc::compiler
