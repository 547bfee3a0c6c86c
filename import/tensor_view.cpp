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

template <class T>
void widen(const TensorView& tensor, std::vector<double>& values) {
  for (std::size_t at = 0; at + sizeof(T) <= tensor.bytes.size(); at += sizeof(T)) {
    T value;
    std::copy_n(tensor.bytes.data() + at, sizeof(T), reinterpret_cast<std::byte*>(&value));
    values.push_back(static_cast<double>(value));
  }
}

}  // namespace

bool is_real(ElementType type) {
  return type == ElementType::F32 || type == ElementType::F64 || type == ElementType::F16 || type == ElementType::BF16;
}

std::vector<double> doubles_of(const TensorView& tensor) {
  std::vector<double> values;
  switch (tensor.type) {
    case ElementType::F64: widen<double>(tensor, values); break;
    case ElementType::I64: widen<std::int64_t>(tensor, values); break;
    case ElementType::I32: widen<std::int32_t>(tensor, values); break;
    case ElementType::I16: widen<std::int16_t>(tensor, values); break;
    case ElementType::I8: widen<std::int8_t>(tensor, values); break;
    case ElementType::U8:
    case ElementType::Bool: widen<std::uint8_t>(tensor, values); break;
    case ElementType::U16: widen<std::uint16_t>(tensor, values); break;
    case ElementType::U32: widen<std::uint32_t>(tensor, values); break;
    case ElementType::U64: widen<std::uint64_t>(tensor, values); break;
    case ElementType::F32:
    case ElementType::F16:
    case ElementType::BF16: {
      const std::vector<float> floats = tensor.to_f32();
      values.assign(floats.begin(), floats.end());
    }
  }
  return values;
}

TensorView TensorView::own(ElementType type, Shape dims, std::vector<std::byte> bytes) {
  auto memory = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  return {type, std::move(dims), *memory, memory, nullptr};
}

TensorView TensorView::own(Shape dims, const std::vector<float>& values) {
  const auto from = std::as_bytes(std::span(values));
  return own(ElementType::F32, std::move(dims), {from.begin(), from.end()});
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
