#include "runtime/pack.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <span>

#include <rnnc/join.hpp>

#include "runtime/half.hpp"

namespace rnnc::runtime {
namespace {

Error invalid(ErrorCode code, std::string message) { return {code, {}, std::move(message)}; }

bool is_float(ElementType type) {
  return type == ElementType::F32 || type == ElementType::F16 || type == ElementType::BF16 || type == ElementType::F64;
}

const TensorInfo& find(const std::vector<TensorInfo>& tensors, const std::string& tensor_name) {
  return *std::find_if(tensors.begin(), tensors.end(), [&](const TensorInfo& t) { return t.name == tensor_name; });
}

// The offset of a unit of a gate in the packed panel and the distance between its columns, both in weights. The layout
// is drawn in compiler/schedule/plan.hpp.
struct Lane {
  std::int64_t offset = 0, stride = 0;
};

Lane lane_of(const PanelPacking& panel, int gate, std::int64_t unit) {
  const std::int64_t full = panel.units / panel.lanes, left = panel.units % panel.lanes;
  const std::int64_t block = unit / panel.lanes, lane = unit % panel.lanes;
  const std::int64_t block_size = std::int64_t{panel.gates} * panel.lanes;
  if (panel.tail_gates > 1 && block == full) {
    const int vectors = (panel.gates + panel.tail_gates - 1) / panel.tail_gates;
    return {block * block_size * panel.columns + gate / panel.tail_gates * panel.lanes +
                gate % panel.tail_gates * left + lane,
            std::int64_t{vectors} * panel.lanes};
  }
  const std::int64_t alike = panel.tail_gates > 1 || left == 0 ? full : full + 1;
  const std::int64_t first = block / panel.together * panel.together;
  const std::int64_t stride = std::min<std::int64_t>(panel.together, alike - first) * block_size;
  return {first * block_size * panel.columns + (block - first) * block_size + gate * panel.lanes + lane, stride};
}

// The elements of a tensor as f32: those of the tensor itself where it has this type, and else a copy.
class Floats {
 public:
  explicit Floats(const Tensor& tensor)
      : converted_(tensor.type == ElementType::F32 ? std::vector<float>() : tensor.to_f32()),
        values_(tensor.type == ElementType::F32 ? std::span(reinterpret_cast<const float*>(tensor.bytes.data()),
                                                            tensor.bytes.size() / sizeof(float))
                                                : std::span<const float>(converted_)) {}
  Floats(const Floats&) = delete;
  Floats& operator=(const Floats&) = delete;

  std::span<const float> values() const { return values_; }

 private:
  std::vector<float> converted_;
  std::span<const float> values_;
};

// Copies a piece of a matrix into the panel. `store` writes the weights in the format of the panel.
template <class Store>
void scatter(const PanelPacking& panel, const MatrixPiece& piece, std::span<const float> source, std::int64_t width,
             const Store& store) {
  for (std::int64_t r = 0; r < piece.rows; ++r) {
    const float* from = source.data() + (piece.row + r) * width + piece.column;
    const Lane to = lane_of(panel, piece.gate, piece.first_row + r);
    for (std::int64_t k = 0; k < panel.columns; ++k) store(to.offset + k * to.stride, from[k]);
  }
}

// Reads rows of the source in order and scatters each over the panel, one lane wide.
void pack_piece(const PanelPacking& panel, const MatrixPiece& piece, std::span<const float> source, std::int64_t width,
                float* block) {
  float* const begin = block + panel.offset;
  const auto halves = [begin](std::int64_t at, std::uint16_t half) {
    std::memcpy(reinterpret_cast<std::byte*>(begin) + at * std::int64_t{sizeof half}, &half, sizeof half);
  };
  switch (panel.format) {
    case NumberFormat::F32:
      if (panel.rounding == NumberFormat::F32)
        return scatter(panel, piece, source, width, [&](std::int64_t at, float weight) { begin[at] = weight; });
      return scatter(panel, piece, source, width,
                     [&](std::int64_t at, float weight) { begin[at] = rounded(weight, panel.rounding); });
    case NumberFormat::F16:
      return scatter(panel, piece, source, width, [&](std::int64_t at, float weight) { halves(at, to_f16(weight)); });
    case NumberFormat::BF16:
      return scatter(panel, piece, source, width, [&](std::int64_t at, float weight) { halves(at, to_bf16(weight)); });
  }
}

// Finds a weight that is too large for the format: rounding would make infinity of it.
Result<void> check_range(const PanelPacking& panel, const MatrixPiece& piece, std::span<const float> source,
                         std::int64_t width) {
  const NumberFormat format = panel.format == kRowFormat ? panel.rounding : panel.format;
  if (format == NumberFormat::F32) return {};
  for (std::int64_t r = 0; r < piece.rows; ++r)
    for (std::int64_t k = 0; k < panel.columns; ++k) {
      const float weight = source[static_cast<std::size_t>((piece.row + r) * width + piece.column + k)];
      if (!std::isfinite(weight) || std::isfinite(rounded(weight, format))) continue;
      char number[32];
      std::snprintf(number, sizeof number, "%g", static_cast<double>(weight));
      return invalid(ErrorCode::InvalidData,
                     "tensor " + piece.param + " has the weight " + number + " at [" + std::to_string(piece.row + r) +
                         "," + std::to_string(piece.column + k) + "], which is beyond " + name(format) + "; " +
                         (format == NumberFormat::F16 ? "use bf16 or f32" : "use f32"));
    }
  return {};
}

}  // namespace

TensorRefs refs_to(const TensorMap& tensors) {
  TensorRefs refs;
  for (const auto& [name, tensor] : tensors) refs[name] = &tensor;
  return refs;
}

Result<void> check_weights(const Description& description, const TensorRefs& weights) {
  std::size_t used = 0;
  for (const TensorInfo& param : description.params) {
    const auto found = weights.find(param.name);
    if (found == weights.end())
      return invalid(ErrorCode::InvalidData, "no tensor for parameter " + param.name + " f32" + to_string(param.shape) +
                                                 " of cell " + description.cell);
    const Tensor& tensor = *found->second;
    if (tensor.shape != param.shape)
      return invalid(ErrorCode::ShapeMismatch, "shape mismatch: parameter " + param.name + " of cell " +
                                                   description.cell + " is f32" + to_string(param.shape) +
                                                   " but its tensor is " + to_string(tensor.shape));
    if (!is_float(tensor.type))
      return invalid(ErrorCode::InvalidData, "tensor " + param.name + " holds " + std::string(name(tensor.type)) +
                                                 "; weights must be F32, F16, BF16 or F64");
    ++used;
  }
  if (used == weights.size()) return {};
  const auto is_left_over = [&](const auto& each) {
    return std::ranges::none_of(description.params, [&](const TensorInfo& param) { return param.name == each.first; });
  };
  const auto left = std::ranges::find_if(weights, is_left_over);
  return invalid(ErrorCode::InvalidData, "tensor " + left->first + " is no parameter of cell " + description.cell +
                                             ", which has " + join(description.params, &TensorInfo::name));
}

Result<AlignedBuffer> pack_weights(const Description& description, const TensorRefs& weights) {
  if (const Result<void> checked = check_weights(description, weights); !checked) return checked.error();
  std::map<std::string, Floats> tensors;
  for (const auto& [name, tensor] : weights) tensors.try_emplace(name, *tensor);
  AlignedBuffer block(description.weights_size);
  for (const VectorPacking& vector : description.vectors) {
    const std::span<const float> source = tensors.at(vector.param).values();
    std::copy(source.begin(), source.end(), block.data() + vector.offset);
  }
  for (const PanelPacking& panel : description.panels)
    for (const MatrixPiece& piece : panel.pieces) {
      const std::span<const float> source = tensors.at(piece.param).values();
      const std::int64_t width = find(description.params, piece.param).shape[1];
      if (const Result<void> checked = check_range(panel, piece, source, width); !checked) return checked.error();
      pack_piece(panel, piece, source, width, block.data());
    }
  return block;
}

}  // namespace rnnc::runtime
