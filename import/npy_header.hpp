// The header of a .npy file: a Python dict literal with three keys, read as such and as nothing more.
#pragma once

#include <string_view>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>
#include <rnnc/tensor_files.hpp>

namespace rnnc::files {

struct NpyHeader {
  ElementType type = ElementType::F32;
  Shape shape;
};

/// Errors: InvalidData, for arrays that are big-endian, in Fortran order or of a type that Tensor lacks too; Limit.
Result<NpyHeader> parse_npy_header(std::string_view text, std::string_view file, const FileLimits& limits);

}  // namespace rnnc::files
