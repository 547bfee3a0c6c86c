// A tensor where it lies: in a file's bytes, in a caller's, or in memory that its views share. What only changes the
// shape copies nothing, and what takes a part copies that part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <rnnc/tensor.hpp>
#include "import/file_content.hpp"

namespace rnnc::files {

struct TensorView {
  ElementType type = ElementType::F32;
  Shape shape;
  std::span<const std::byte> bytes;                      // elements() * size_bytes(type), at any address
  std::shared_ptr<const std::vector<std::byte>> memory;  // where the bytes are the views' own
  const FileContent* file = nullptr;                     // where they are a file's

  static TensorView of(const Tensor& tensor) { return {tensor.type, tensor.shape, tensor.bytes, nullptr, nullptr}; }
  static TensorView own(ElementType type, Shape dims, std::vector<std::byte> bytes);

  std::int64_t elements() const;
  std::vector<float> to_f32() const;

  /// The elements from `first` on as f32, as many as `dims` have, which must be there. Their memory in the file is
  /// given back.
  Tensor part(Shape dims, std::int64_t first) const;
};

}  // namespace rnnc::files
