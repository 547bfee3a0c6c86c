// The build becomes text that says which rnnc it is.
#pragma once

#include <string>

namespace rnnc::tools {

/// Returns "rnnc 0.1.0", then LLVM's version and the CPU that code is made for where nothing else is said, a line each.
std::string version_text();

}  // namespace rnnc::tools
