// Names for files of the cache folder.
#pragma once

#include <string>
#include <string_view>

namespace rnnc::compiler {

/// 16 hexadecimal digits that depend on `text`. Two texts may share them: a file says in its content what it is for.
std::string file_name_of(std::string_view text);

}  // namespace rnnc::compiler
