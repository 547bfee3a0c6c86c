// The arrays of a .npz file become tensors by name.
#pragma once

#include <string_view>
#include <vector>

#include <rnnc/tensor_files.hpp>
#include "import/zip.hpp"

namespace rnnc::files {

/// Returns the arrays. Throws Refusal, also for an entry that is no array.
TensorMap read_npz(const std::vector<ZipEntry>& entries, std::string_view file, const FileLimits& limits);

}  // namespace rnnc::files
