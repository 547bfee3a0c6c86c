// The tensors of a safetensors file where they lie.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include <rnnc/result.hpp>
#include <rnnc/tensor_files.hpp>
#include "import/file_content.hpp"
#include "import/tensor_view.hpp"

namespace rnnc::files {

using TensorViews = std::map<std::string, TensorView>;

/// They must not outlive `content`. Errors: as of parse_safetensors.
Result<TensorViews> view_safetensors(const FileContent& content, std::string_view file, const FileLimits& limits);

}  // namespace rnnc::files
