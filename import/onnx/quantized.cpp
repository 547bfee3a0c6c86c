#include "import/onnx/quantized.hpp"

#include <algorithm>
#include <cmath>

#include "import/scaled_integers.hpp"

namespace rnnc::files {
namespace {

// Tells which scale belongs to an element: one of all, one for each place of an axis, or one for each block of places.
class Places {
 public:
  Places(const OnnxAttributes& attributes, const Shape& shape, const Shape& scales, const Quantization& by) {
    const bool one = std::ranges::all_of(scales, [](std::int64_t dim) { return dim == 1; });
    if (one && by.block_size == 0) return;
    if (by.block_size < 0) attributes.invalid("block_size must not be below 0");
    if (by.block_size == 0 && scales.size() > 1) attributes.unsupported("has scales of several dimensions");
    const std::size_t at = onnx_axis(attributes, by.axis, shape.size());
    size_ = shape[at];
    for (std::size_t d = at + 1; d < shape.size(); ++d) inner_ *= shape[d];
    if (by.block_size == 0) {
      if (scales[0] != size_)
        attributes.invalid(
            "shape mismatch: its scales are not one for each place of the axis: " + std::to_string(scales[0]) +
            " for the " + std::to_string(size_) + " of dimension " + std::to_string(at) + " of " + to_string(shape));
      return;
    }
    block_ = by.block_size;
    Shape wanted = shape;
    wanted[at] = blocks_ = size_ / block_ + (size_ % block_ == 0 ? 0 : 1);
    if (scales != wanted)
      attributes.invalid("shape mismatch: blocks of " + std::to_string(block_) + " of " + to_string(shape) +
                         " have scales of " + to_string(wanted) + ", not " + to_string(scales));
  }

  std::size_t operator()(std::size_t element) const {
    const auto i = static_cast<std::int64_t>(element), place = i / inner_ % size_;
    if (block_ == 0) return static_cast<std::size_t>(place);
    return static_cast<std::size_t>((i / inner_ / size_ * blocks_ + place / block_) * inner_ + i % inner_);
  }

 private:
  std::int64_t inner_ = 1, size_ = 1, block_ = 0, blocks_ = 0;
};

template <class T>
TensorView integers_of(ElementType type, const Shape& shape, const std::vector<double>& values) {
  std::vector<T> integers;
  for (const double value : values) integers.push_back(static_cast<T>(value));
  const auto bytes = std::as_bytes(std::span(integers));
  return TensorView::own(type, shape, {bytes.begin(), bytes.end()});
}

// y = saturate(round(x / scale) + zero point), ties to even.
TensorView quantized(OnnxAttributes& attributes, const TensorView& x, const Quantization& by) {
  const Places place(attributes, x.shape, by.scale->shape, by);
  const std::vector<double> scales = scales_of(attributes, *by.scale);
  const std::vector<double> zeros = zero_points_of(attributes, by.zero_point, scales.size());
  const IntegerRange range = range_of(attributes, by.zero_point);
  if (std::ranges::find(scales, 0.0) != scales.end())
    attributes.invalid("divides by a scale of 0: quantise the model again");
  std::vector<double> values = doubles_of(x);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) attributes.invalid("rounds a weight that is nan to an integer");
    const std::size_t k = place(i);
    const float quotient = static_cast<float>(values[i]) / static_cast<float>(scales[k]);
    values[i] = std::clamp(static_cast<double>(std::nearbyint(quotient)) + zeros[k], range.least, range.most);
  }
  if (range.most > 255) return integers_of<std::uint16_t>(ElementType::U16, x.shape, values);
  if (range.least < -128) return integers_of<std::int16_t>(ElementType::I16, x.shape, values);
  if (range.least < 0) return integers_of<std::int8_t>(ElementType::I8, x.shape, values);
  return integers_of<std::uint8_t>(ElementType::U8, x.shape, values);
}

}  // namespace

std::vector<double> scales_of(const OnnxAttributes& attributes, const TensorView& scale) {
  if (!is_real(scale.type)) attributes.invalid("its scale must be of floats but is " + std::string(name(scale.type)));
  std::vector<double> scales = doubles_of(scale);
  if (const std::optional<std::string> fault = fault_of(scales)) attributes.invalid(*fault);
  return scales;
}

std::vector<double> zero_points_of(const OnnxAttributes& attributes, const TensorView* zero_point, std::size_t count) {
  if (zero_point == nullptr) return std::vector<double>(count, 0);
  if (!is_small_integer(zero_point->type))
    attributes.invalid("its zero point must be of integers but is " + std::string(name(zero_point->type)));
  std::vector<double> values = doubles_of(*zero_point);
  if (values.size() != count)
    attributes.invalid("shape mismatch: it has " + std::to_string(count) + " scales but " +
                       std::to_string(values.size()) + " zero points");
  return values;
}

TensorView dequantized(const OnnxAttributes& attributes, const TensorView& integers, const Quantization& by) {
  if (!is_small_integer(integers.type))
    attributes.invalid("takes integers of 8 to 32 bits, not " + std::string(name(integers.type)));
  const Places place(attributes, integers.shape, by.scale->shape, by);
  const std::vector<double> scales = scales_of(attributes, *by.scale);
  const std::vector<double> zeros = zero_points_of(attributes, by.zero_point, scales.size());
  return floats_of(integers, {scales, zeros, place});
}

TensorView without_zero_point(const OnnxAttributes& attributes, const TensorView& integers,
                              const TensorView* zero_point, std::int64_t axis) {
  const std::vector<float> ones(zero_point == nullptr ? 1 : static_cast<std::size_t>(zero_point->elements()), 1.0f);
  const TensorView scale = TensorView::own(zero_point == nullptr ? Shape() : zero_point->shape, ones);
  return dequantized(attributes, integers, {&scale, zero_point, axis});
}

std::optional<Quantization> quantization_of(OnnxAttributes& attributes, OnnxConstants& constants) {
  const OnnxNode& node = attributes.node();
  if (node.inputs.size() < 2 || node.inputs.size() > 3) attributes.invalid("has the wrong number of inputs");
  Quantization result{constants.find(node.input(1)), constants.find(node.input(2))};
  result.axis = attributes.integer("axis").value_or(1);
  result.block_size = attributes.integer("block_size").value_or(0);
  if (node.op == "DequantizeLinear") static_cast<void>(attributes.integer("output_dtype"));  // a type of floats
  if (result.scale == nullptr || (result.zero_point == nullptr && !node.input(2).empty())) return std::nullopt;
  return result;
}

IntegerRange range_of(OnnxAttributes& attributes, const TensorView* zero_point) {
  static_cast<void>(attributes.integer("saturate"));   // of floats of 8 bits
  static_cast<void>(attributes.integer("precision"));  // of the quotient, which is f32 here
  constexpr std::int64_t kU8 = 2, kI8 = 3, kU16 = 4, kI16 = 5, kU4 = 21, kI4 = 22;
  std::int64_t type = attributes.integer("output_dtype").value_or(0);
  if (type == 0 && zero_point != nullptr) {
    const bool four = zero_point->four_bits;
    switch (zero_point->type) {
      case ElementType::I8: type = four ? kI4 : kI8; break;
      case ElementType::U8: type = four ? kU4 : kU8; break;
      case ElementType::I16: type = kI16; break;
      case ElementType::U16: type = kU16; break;
      default: type = -1;
    }
  }
  switch (type) {
    case 0:
    case kU8: return {0, 255};
    case kI8: return {-128, 127};
    case kU16: return {0, 65535};
    case kI16: return {-32768, 32767};
    case kU4: return {0, 15};
    case kI4: return {-8, 7};
    default: attributes.unsupported("makes other than integers of 4, 8 or 16 bits; quantise the model to int8");
  }
}

bool fold_quantized(const OnnxNode& node, std::string_view file, OnnxConstants& constants) {
  const bool known = node.op == "QuantizeLinear" || node.op == "DequantizeLinear";
  if (!known || (!node.domain.empty() && node.domain != "com.microsoft")) return false;
  const TensorView* x = constants.find(node.input(0));
  if (x == nullptr) return false;
  OnnxAttributes attributes(node, file);
  const std::optional<Quantization> by = quantization_of(attributes, constants);
  if (!by) return false;
  TensorView result = node.op == "QuantizeLinear" ? quantized(attributes, *x, *by) : dequantized(attributes, *x, *by);
  attributes.finish();
  constants.put(node.output(0), std::move(result));
  return true;
}

}  // namespace rnnc::files
