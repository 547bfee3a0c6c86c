// How the readers of models give up: by an exception that never leaves import/, since every line of a reader may meet
// something it must refuse. The public functions turn it into a Result.
#pragma once

#include <string>
#include <string_view>

#include <rnnc/result.hpp>

namespace rnnc::files {

struct Refusal {
  Error error;
};

/// `what` is the part of the file that is wrong, "" for the file as a whole.
[[noreturn]] void refuse(ErrorCode code, std::string_view file, const std::string& what, const std::string& why);

/// For what a file says that is wrong, and for what is right but cannot be done.
[[noreturn]] inline void invalid(std::string_view file, const std::string& what, const std::string& why) {
  refuse(ErrorCode::InvalidData, file, what, why);
}
[[noreturn]] inline void unsupported(std::string_view file, const std::string& what, const std::string& why) {
  refuse(ErrorCode::Unsupported, file, what, why);
}

}  // namespace rnnc::files
