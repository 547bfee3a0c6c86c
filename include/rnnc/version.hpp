// This header has the version of rnnc.
#pragma once

#include <rnnc/export.hpp>

namespace RNNC_API rnnc {

inline constexpr const char* kVersion = "0.1.0";  // CMakeLists.txt says the same; a test compares them

}  // namespace rnnc
