// A path becomes the file that it names, behind all symbolic links, whether the file is there already or not.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rnnc::files {

/// Returns the folder of a path, "." where it names none.
std::string folder_of(const std::string& path);

/// Returns the path of the file that would be read or made under the name `path`; nothing, with errno set, where links
/// go round in a circle or a folder is missing.
std::optional<std::string> real_path(const std::string& path);

/// Returns the descriptor behind /dev/stdout and similar paths, which the program was started with.
std::optional<int> inherited_descriptor(std::string_view path);

/// Tells whether writing one of two paths changes what the other one holds, be it by another spelling, a link, or a
/// hard link. Pipes, terminals and devices such as /dev/null hold nothing, and one inherited descriptor takes what is
/// written to it one behind the other: these are never the same file.
bool is_same_file(const std::string& a, const std::string& b);

}  // namespace rnnc::files
