// A view is a tensor whose bytes lie in a file, in the caller's memory, or in memory that its views share. An operation
// that only changes the shape copies nothing; one that takes a part copies that part.
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
  std::shared_ptr<const std::vector<std::byte>> memory;  // keeps the bytes alive if the views own them
  const FileContent* file = nullptr;                     // the file of the bytes, if they are part of one
  bool four_bits = false;                                // the integers, of 8 bits here, are of 4 in the file

  static TensorView of(const Tensor& tensor) { return {tensor.type, tensor.shape, tensor.bytes, nullptr, nullptr}; }
  static TensorView own(ElementType type, Shape dims, std::vector<std::byte> bytes);
  static TensorView own(Shape dims, const std::vector<float>& values);

  std::int64_t elements() const;
  std::vector<float> to_f32() const;

  /// Returns as many elements as `dims` have, from `first` on, as f32; they must exist. Their memory in the file is
  /// given back.
  Tensor part(Shape dims, std::int64_t first) const;
};

/// Tells whether elements are floats.
bool is_real(ElementType type);

/// Returns the elements, of any type, as doubles.
std::vector<double> doubles_of(const TensorView& tensor);

}  // namespace rnnc::files
