#include "runtime/check_weights.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <rnnc/join.hpp>

#include "runtime/half.hpp"

namespace rnnc::runtime {
namespace {

Error invalid(ErrorCode code, std::string message) { return {code, {}, std::move(message)}; }

bool is_float(ElementType type) {
  return type == ElementType::F32 || type == ElementType::F16 || type == ElementType::BF16 || type == ElementType::F64;
}

}  // namespace

TensorRefs refs_to(const TensorMap& tensors) {
  TensorRefs refs;
  for (const auto& [name, tensor] : tensors) refs[name] = &tensor;
  return refs;
}

Result<void> check_weights(const Description& description, const TensorRefs& weights, const std::string& kind) {
  const std::string owner = " of " + kind + " " + description.cell;
  std::size_t used = 0;
  for (const TensorInfo& param : description.params) {
    const auto found = weights.find(param.name);
    if (found == weights.end())
      return invalid(ErrorCode::InvalidData,
                     "no tensor for parameter " + param.name + " f32" + to_string(param.shape) + owner);
    const Tensor& tensor = *found->second;
    if (tensor.shape != param.shape)
      return invalid(ErrorCode::ShapeMismatch, "shape mismatch: parameter " + param.name + owner + " is f32" +
                                                   to_string(param.shape) + " but its tensor is " +
                                                   to_string(tensor.shape));
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
  return invalid(ErrorCode::InvalidData, "tensor " + left->first + " is no parameter" + owner + ", which has " +
                                             join(description.params, &TensorInfo::name));
}

Result<void> check_range(const PanelPacking& panel, const MatrixPiece& piece, std::span<const float> source,
                         std::int64_t width) {
  const NumberFormat format = panel.format == kRowFormat ? panel.rounding : panel.format;
  if (format == NumberFormat::F32 || is_integer(format)) return {};
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

}  // namespace rnnc::runtime
