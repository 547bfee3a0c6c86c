// A safetensors file becomes views of its tensors, which stay in the file.
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

/// Returns the views; `content` must outlive them. Errors: as of parse_safetensors.
Result<TensorViews> view_safetensors(const FileContent& content, std::string_view file, const FileLimits& limits);

}  // namespace rnnc::files
