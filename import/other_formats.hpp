// Files that no reader here takes are known by their first bytes, so that a user hears what the file is and what to do.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "import/zip.hpp"

namespace rnnc::files {

/// Says what a file is that begins so, and what to give instead; "" for one that is none of the known kinds.
std::string about_other_format(std::string_view content);

/// Says the same of a zip file by the names of its entries.
std::string about_other_zip(const std::vector<ZipEntry>& entries);

}  // namespace rnnc::files
