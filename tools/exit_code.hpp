// An error becomes the exit code of the program. Scripts rely on these numbers.
#pragma once

#include <rnnc/result.hpp>

namespace rnnc::tools {

inline constexpr int kOk = 0;
inline constexpr int kMismatch = 1;
inline constexpr int kUsage = 2;
inline constexpr int kInvalid = 3;  // model or data
inline constexpr int kUnsupported = 4;

int exit_code(ErrorCode code);

/// Makes the error of a mistake in the flag `flag`.
Error usage_error(const std::string& flag, const std::string& message);

}  // namespace rnnc::tools
