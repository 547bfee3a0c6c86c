// How the readers and writers of files word their errors: the file first, names quoted, what the system said last.
#pragma once

#include <string>
#include <string_view>

#include <rnnc/result.hpp>

namespace rnnc::files {

Error file_error(ErrorCode code, std::string_view file, std::string message);

/// `what: strerror(number)`, and a hint where one helps. Code File.
Error system_error(std::string_view file, std::string_view what, int number);

Error out_of_memory(std::string_view file);

/// In double quotes, control characters and broken UTF-8 escaped, a long text cut: names come from files.
std::string in_quotes(std::string_view text);

}  // namespace rnnc::files
