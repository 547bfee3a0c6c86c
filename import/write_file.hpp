// Bytes become whole files at once: after a failure, or where the program is killed, a target is as it was before.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <rnnc/result.hpp>

namespace rnnc::files {

using Bytes = std::span<const std::byte>;

struct NewFile {
  std::string path;
  std::vector<Bytes> pieces;  // one behind the other
};

/// Writes each file under a temporary name beside its target and forces it to disk; renames them when all are there.
///
/// Target    A symbolic link stays, and the file that it names is written. A file that is replaced hands on its mode
/// and,
///           where the system allows it, its owner and group; its other hard links keep the old content. A new file has
///           the mode that the umask leaves. A target that exists and is no regular file (a device, a pipe, /dev/stdout
///           however redirected) is written directly, before the renaming.
/// Leftovers Temporary files of killed runs in the folders of the targets are removed.
/// Errors    File; the temporary files are removed
Result<void> write_files(const std::vector<NewFile>& files);
Result<void> write_file(const std::string& path, const std::vector<Bytes>& pieces);

}  // namespace rnnc::files
