// A text that says what a file is for becomes the name of that file in the cache folder.
#pragma once

#include <string>
#include <string_view>

namespace rnnc::compiler {

/// Returns 16 hexadecimal digits that depend on `text`. Two texts may have the same digits, so each file repeats in its
/// content what it is for.
std::string file_name_of(std::string_view text);

}  // namespace rnnc::compiler
