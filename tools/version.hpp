// The build and the machine become text that says which rnnc it is, and for which CPUs it compiles.
#pragma once

#include <string>

namespace rnnc::tools {

/// Returns "rnnc 0.1.0", then LLVM's version and the CPU that code is made for where nothing else is said, a line each.
std::string version_text();

/// Returns the names that --isa and --target take, one a line, behind lines that say which are this machine's.
std::string cpu_list_text();

}  // namespace rnnc::tools
