// LLVM's tables become the list of names of CPUs that code can be made for, and LLVM's version, for messages and
// completion.
#pragma once

#include <string>
#include <vector>

namespace rnnc::compiler {

/// Lists every name that resolve_target takes except "host", sorted. The names are LLVM's; those of AArch64 CPUs have
/// `aarch64-` before them.
std::vector<std::string> cpu_names();

/// Returns the version of LLVM, e.g. "19.1.7".
std::string llvm_version();

}  // namespace rnnc::compiler
