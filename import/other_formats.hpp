// Files that no reader here takes are known by their first bytes, so that a user hears what the file is and what to do.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "import/zip.hpp"

namespace rnnc::files {

/// Says what a file is that begins so, and what to give instead; "" for one that is none of the known kinds.
std::string about_other_format(std::string_view content);

/// Says the same of a zip file by the names of its entries.
std::string about_other_zip(const std::vector<ZipEntry>& entries);

/// Says the same of a file that is given for weights by names; "" for one that may be safetensors, also a damaged one.
std::string about_no_weights(std::span<const std::byte> content);

}  // namespace rnnc::files
