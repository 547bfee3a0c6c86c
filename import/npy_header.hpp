// The header of a .npy file becomes a struct: it is a Python dict literal with three keys, and nothing else is
// accepted.
#pragma once

#include <string_view>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>
#include <rnnc/tensor_files.hpp>

namespace rnnc::files {

/// A type as NumPy spells it, without the byte order.
struct NpyType {
  std::string_view name;
  ElementType type;
};
inline constexpr NpyType kNpyTypes[] = {{"f2", ElementType::F16}, {"f4", ElementType::F32}, {"f8", ElementType::F64},
                                        {"i1", ElementType::I8},  {"i2", ElementType::I16}, {"i4", ElementType::I32},
                                        {"i8", ElementType::I64}, {"u1", ElementType::U8},  {"u2", ElementType::U16},
                                        {"u4", ElementType::U32}, {"u8", ElementType::U64}, {"b1", ElementType::Bool}};

struct NpyHeader {
  ElementType type = ElementType::F32;
  Shape shape;
  bool fortran_order = false;  // the first index runs fastest
};

/// Reads the header. Errors: InvalidData, also for arrays that are big-endian or of a type that Tensor lacks; Limit.
Result<NpyHeader> parse_npy_header(std::string_view text, std::string_view file, const FileLimits& limits);

}  // namespace rnnc::files
