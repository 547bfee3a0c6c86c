// A reader of models refuses a file by an exception that never leaves import/, since every line of a reader may meet
// something that it must refuse. The public functions turn the exception into a Result.
#pragma once

#include <string>
#include <string_view>

#include <rnnc/result.hpp>

namespace rnnc::files {

struct Refusal {
  Error error;
};

/// Throws a Refusal. `what` is the part of the file that is wrong, "" for the file as a whole.
[[noreturn]] void refuse(ErrorCode code, std::string_view file, const std::string& what, const std::string& why);

/// invalid() is for a file that is wrong, unsupported() for a file that is right but cannot be imported.
[[noreturn]] inline void invalid(std::string_view file, const std::string& what, const std::string& why) {
  refuse(ErrorCode::InvalidData, file, what, why);
}
[[noreturn]] inline void unsupported(std::string_view file, const std::string& what, const std::string& why) {
  refuse(ErrorCode::Unsupported, file, what, why);
}

}  // namespace rnnc::files
