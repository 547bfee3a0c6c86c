// Bytes become a whole file at once: after a failure the target is as it was before.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <rnnc/result.hpp>

namespace rnnc::files {

using Bytes = std::span<const std::byte>;

/// Writes the pieces one after another to a temporary file beside the target, forces them to disk, and renames it. A
/// target that exists and is no regular file (a device, a pipe, /dev/stdout however redirected) is written directly.
///
/// Errors    File; the temporary file is removed
Result<void> write_file(const std::string& path, const std::vector<Bytes>& pieces);

}  // namespace rnnc::files
