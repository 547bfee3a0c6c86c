// The header of a .npy file becomes a struct: it is a Python dict literal with three keys, and nothing else is
// accepted.
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

/// Reads the header. Errors: InvalidData, also for arrays that are big-endian, in Fortran order or of a type that
/// Tensor lacks; Limit.
Result<NpyHeader> parse_npy_header(std::string_view text, std::string_view file, const FileLimits& limits);

}  // namespace rnnc::files
