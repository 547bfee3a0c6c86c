// The readers and writers of files word their errors here: the file first, names quoted, the system's message last.
#pragma once

#include <string>
#include <string_view>

#include <rnnc/result.hpp>

namespace rnnc::files {

Error file_error(ErrorCode code, std::string_view file, std::string message);

/// Returns `what: strerror(number)`, with a hint if there is one. Code File.
Error system_error(std::string_view file, std::string_view what, int number);

Error out_of_memory(std::string_view file);

/// Puts a text into double quotes: names come from files, so control characters and broken UTF-8 are escaped and a long
/// text is cut.
std::string in_quotes(std::string_view text);

}  // namespace rnnc::files
