#include "import/tensor_view.hpp"

#include <algorithm>
#include <utility>

namespace rnnc::files {
namespace {

// Each piece of the file is given back before the next one is read, so that at most one piece is in memory twice.
void copy(std::span<const std::byte> from, const FileContent* file, std::vector<std::byte>& to) {
  constexpr std::size_t kPieceBytes = 1 << 20;
  to.reserve(from.size());
  while (!from.empty()) {
    const auto piece = from.first(std::min(kPieceBytes, from.size()));
    to.insert(to.end(), piece.begin(), piece.end());
    if (file != nullptr) file->release(piece);
    from = from.subspan(piece.size());
  }
}

}  // namespace

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
  copy(from, file, result.bytes);
  if (type != ElementType::F32) return Tensor::from_f32(result.shape, result.to_f32());
  return result;  // a conditional expression would copy it
}

}  // namespace rnnc::files
