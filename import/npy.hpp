// An array becomes a .npy file: its head, then the bytes of the tensor.
#pragma once

#include <string>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

namespace rnnc::files {

/// Returns everything before the elements. Errors: as of save_npy, of which `path` is the file.
Result<std::string> npy_head(const Tensor& tensor, const std::string& path);

}  // namespace rnnc::files
