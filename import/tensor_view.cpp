#include "import/tensor_view.hpp"

#include <utility>

namespace rnnc::files {

TensorView TensorView::own(ElementType type, Shape dims, std::vector<std::byte> bytes) {
  auto memory = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  return {type, std::move(dims), *memory, memory, nullptr};
}

std::int64_t TensorView::elements() const { return static_cast<std::int64_t>(bytes.size() / size_bytes(type)); }

std::vector<float> TensorView::to_f32() const { return Tensor{type, shape, {bytes.begin(), bytes.end()}}.to_f32(); }

Tensor TensorView::part(Shape dims, std::int64_t first) const {
  Tensor result{type, std::move(dims), {}};
  const std::size_t size = size_bytes(type);
  const auto from =
      bytes.subspan(static_cast<std::size_t>(first) * size, static_cast<std::size_t>(result.elements()) * size);
  result.bytes.assign(from.begin(), from.end());
  if (file != nullptr) file->release(from);
  return type == ElementType::F32 ? result : Tensor::from_f32(result.shape, result.to_f32());
}

}  // namespace rnnc::files
