// A tensor is the content of a file: a type, a shape and bytes that belong to the tensor. Tensors bring weights to the
// compiler and sequences to the command line program; the hot path uses raw pointers only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <rnnc/export.hpp>

namespace RNNC_API rnnc {

enum class ElementType { F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8, Bool };

std::size_t size_bytes(ElementType type);
std::string_view name(ElementType type);  // as safetensors spells it: "F32", "BF16", ...

using Shape = std::vector<std::int64_t>;

std::string to_string(const Shape& shape);  // "[256,128]"; "[]" for a scalar

/// Elements are row-major and little-endian; `bytes.size() == elements() * size_bytes(type)` always holds.
struct Tensor {
  ElementType type = ElementType::F32;
  Shape shape;
  std::vector<std::byte> bytes;

  std::int64_t elements() const;

  /// Makes a f32 tensor with a copy of `values`; their number must be the product of `shape`.
  static Tensor from_f32(Shape shape, const std::vector<float>& values);

  /// Returns the elements as f32. Other types are converted: F16 and BF16 exactly, F64 and integers rounded to nearest
  /// even.
  std::vector<float> to_f32() const;
};

using TensorMap = std::map<std::string, Tensor>;

}  // namespace rnnc
