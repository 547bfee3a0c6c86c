#include "import/onnx/constants.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>

#include "import/file_error.hpp"
#include "import/onnx/constant_arithmetic.hpp"
#include "import/onnx/quantized.hpp"

namespace rnnc::files {
namespace {

constexpr std::int64_t kMostExtent = std::int64_t{1} << 40;  // the product of all dims other than 0
constexpr std::size_t kSlackBytes = std::size_t{1} << 20;    // of folded constants, more than the size of the file

// Returns the strides of a tensor that has elements. In a tensor without elements the product of the other dims may be
// any number, and no stride is needed.
std::vector<std::int64_t> strides_of(const TensorView& data) {
  const Shape& shape = data.shape;
  std::vector<std::int64_t> strides(shape.size(), 1);
  if (data.bytes.empty()) return strides;
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

// Copies the elements that the strides select, beginning with `first`; strides count elements, and each element lies in
// `from`.
TensorView gather(const TensorView& from, const Shape& shape, std::int64_t first,
                  const std::vector<std::int64_t>& strides) {
  const std::size_t size = size_bytes(from.type);
  const std::int64_t count = Tensor{from.type, shape, {}}.elements();
  std::vector<std::byte> bytes(static_cast<std::size_t>(count) * size);
  std::vector<std::int64_t> index(shape.size(), 0);
  for (std::int64_t k = 0; k < count; ++k) {
    std::int64_t at = first;
    for (std::size_t d = 0; d < index.size(); ++d) at += index[d] * strides[d];
    std::memcpy(bytes.data() + static_cast<std::size_t>(k) * size,
                from.bytes.data() + static_cast<std::size_t>(at) * size, size);
    for (std::size_t d = index.size(); d-- > 0 && ++index[d] == shape[d];) index[d] = 0;
  }
  return TensorView::own(from.type, shape, std::move(bytes));
}

TensorView transpose(OnnxAttributes& attributes, const TensorView& data) {
  std::vector<std::int64_t> order(data.shape.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(order.size() - 1 - i);
  order = attributes.integers("perm").value_or(order);
  std::vector<std::int64_t> sorted = order;
  std::ranges::sort(sorted);
  bool right = order.size() == data.shape.size();
  for (std::size_t i = 0; right && i < sorted.size(); ++i) right = sorted[i] == static_cast<std::int64_t>(i);
  if (!right) attributes.invalid("perm is no order of the " + std::to_string(data.shape.size()) + " dimensions");
  Shape shape;
  std::vector<std::int64_t> strides;
  const std::vector<std::int64_t> old = strides_of(data);
  for (const std::int64_t axis : order) {
    shape.push_back(data.shape[static_cast<std::size_t>(axis)]);
    strides.push_back(old[static_cast<std::size_t>(axis)]);
  }
  return gather(data, shape, 0, strides);
}

// Joins tensors into one of at most `max_bytes`: otherwise a small file could ask for a tensor that fills the memory.
TensorView concat(OnnxAttributes& attributes, const std::vector<const TensorView*>& parts, std::size_t max_bytes) {
  const TensorView& head = *parts.front();
  const auto axis = attributes.integer("axis");
  if (!axis) attributes.invalid("attribute axis is missing");
  const std::size_t at = onnx_axis(attributes, *axis, head.shape.size());
  Shape joined = head.shape;
  joined[at] = 0;
  std::size_t size = 0;
  for (const TensorView* part : parts) {
    Shape shape = part->shape;
    if (part->type != head.type || shape.size() != head.shape.size())
      attributes.invalid("joins tensors of several types or ranks");
    joined[at] += shape[at];
    size += part->bytes.size();
    if (size > max_bytes) attributes.too_large("joins tensors to one that is larger than the whole file");
    shape[at] = head.shape[at];
    if (shape != head.shape)
      attributes.invalid("shape mismatch: joins " + to_string(head.shape) + " and " + to_string(part->shape));
  }
  std::vector<std::byte> bytes;
  bytes.reserve(size);
  std::int64_t outer = size == 0 ? 0 : 1;
  for (std::size_t d = 0; d < at && outer > 0; ++d) outer *= head.shape[d];
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const TensorView* part : parts) {
      const auto piece = static_cast<std::ptrdiff_t>(part->bytes.size()) / outer;
      const auto begin = part->bytes.begin() + o * piece;
      bytes.insert(bytes.end(), begin, begin + piece);
    }
  }
  return TensorView::own(head.type, joined, std::move(bytes));
}

TensorView reshape(OnnxAttributes& attributes, const TensorView& data,
                   const std::optional<std::vector<std::int64_t>>& wanted) {
  if (!wanted) attributes.unsupported("the shape is not known before the model runs");
  const std::int64_t allow_zero = attributes.integer("allowzero").value_or(0);
  TensorView result = data;
  result.shape = *wanted;
  std::optional<std::size_t> open;
  // Dims of a tensor without elements are limited too, so that sums and products of them do not overflow.
  std::int64_t product = 1, extent = 1;
  bool right = true;
  for (std::size_t i = 0; i < result.shape.size() && right; ++i) {
    std::int64_t& dim = result.shape[i];
    if (dim == 0 && allow_zero == 0) right = i < data.shape.size(), dim = right ? data.shape[i] : 0;
    if (dim == -1 && !open)
      open = i;
    else
      right = right && dim >= 0 && !__builtin_mul_overflow(extent, std::max<std::int64_t>(dim, 1), &extent) &&
              extent <= kMostExtent && !__builtin_mul_overflow(product, dim, &product);
  }
  if (right && open) {
    right = product > 0 && data.elements() % product == 0;
    if (right) result.shape[*open] = data.elements() / product;
  }
  if (!right || (!open && product != data.elements()))
    attributes.invalid("shape mismatch: " + to_string(data.shape) + " cannot become " + to_string(*wanted));
  return result;
}

TensorView squeeze(OnnxAttributes& attributes, const TensorView& data, OnnxConstants& constants) {
  const auto axes = onnx_axes(attributes, constants);
  std::set<std::size_t> gone;
  if (axes)
    for (const std::int64_t axis : *axes) gone.insert(onnx_axis(attributes, axis, data.shape.size()));
  TensorView result = data;
  result.shape.clear();
  for (std::size_t d = 0; d < data.shape.size(); ++d) {
    const bool goes = axes ? gone.contains(d) : data.shape[d] == 1;
    if (goes && data.shape[d] != 1) attributes.invalid("squeezes a dimension of " + std::to_string(data.shape[d]));
    if (!goes) result.shape.push_back(data.shape[d]);
  }
  return result;
}

TensorView unsqueeze(OnnxAttributes& attributes, const TensorView& data, OnnxConstants& constants) {
  const auto axes = onnx_axes(attributes, constants);
  if (!axes) attributes.invalid("axes are missing");
  const std::size_t rank = data.shape.size() + axes->size();
  std::set<std::size_t> added;
  for (const std::int64_t axis : *axes)
    if (!added.insert(onnx_axis(attributes, axis, rank)).second) attributes.invalid("an axis stands in axes twice");
  TensorView result = data;
  result.shape.clear();
  auto next = data.shape.begin();
  for (std::size_t d = 0; d < rank; ++d) result.shape.push_back(added.contains(d) ? 1 : *next++);
  return result;
}

}  // namespace

std::size_t onnx_axis(const OnnxAttributes& attributes, std::int64_t axis, std::size_t rank) {
  const auto size = static_cast<std::int64_t>(rank);
  if (axis < -size || axis >= size)
    attributes.invalid("axis " + std::to_string(axis) + " is not one of " + std::to_string(rank) + " dimensions");
  return static_cast<std::size_t>(axis < 0 ? axis + size : axis);
}

std::optional<std::vector<std::int64_t>> onnx_axes(OnnxAttributes& attributes, OnnxConstants& constants) {
  const std::string input = attributes.node().input(1);
  if (auto axes = attributes.integers("axes")) return axes;
  if (input.empty()) return std::nullopt;
  auto axes = constants.integers(input);
  if (!axes) attributes.unsupported("axes are not known before the model runs; make them a constant");
  return axes;
}

OnnxConstants::OnnxConstants(const OnnxGraph& graph, const TensorMap& given, const FileContent& content,
                             std::string_view file, const FileLimits& limits, OnnxFiles& beside)
    : graph_(graph), given_(given), content_(content), file_(file), limits_(limits), beside_(beside) {
  count_uses(graph);
}

void OnnxConstants::count_uses(const OnnxGraph& graph) {
  for (const OnnxNode& node : graph.nodes) {
    for (const std::string& name : node.inputs) ++uses_[name];
    for (const auto& [name, attribute] : node.attributes)
      if (attribute.graph) count_uses(*attribute.graph);
  }
  for (const std::string& name : graph.outputs) ++uses_[name];
}

std::size_t OnnxConstants::most_bytes() const { return content_.bytes().size() + beside_.bytes() + kSlackBytes; }

TensorView OnnxConstants::parse(std::string_view tensor) const {
  TensorView view = parse_onnx_tensor(tensor, file_, limits_, &beside_);
  if (!view.memory && view.file == nullptr) view.file = &content_;
  return view;
}

TensorView OnnxConstants::spread(const OnnxAttributes& attributes, const TensorView& data, const Shape& shape) const {
  std::int64_t elements = 1;
  for (const std::int64_t dim : shape)
    if (__builtin_mul_overflow(elements, dim, &elements) ||
        elements > static_cast<std::int64_t>(most_bytes() / size_bytes(data.type)))
      attributes.too_large("makes a constant that is larger than the whole file");
  const std::size_t missing = shape.size() - std::min(shape.size(), data.shape.size());
  bool fits = shape.size() >= data.shape.size();
  std::vector<std::int64_t> strides(missing, 0);
  const std::vector<std::int64_t> own = strides_of(data);
  for (std::size_t d = 0; fits && d < data.shape.size(); ++d) {
    fits = data.shape[d] == shape[missing + d] || data.shape[d] == 1;
    strides.push_back(data.shape[d] == 1 ? 0 : own[d]);
  }
  if (!fits) attributes.invalid("shape mismatch: " + to_string(data.shape) + " cannot become " + to_string(shape));
  return gather(data, shape, 0, strides);
}

const TensorView* OnnxConstants::find(const std::string& name) {
  if (name.empty()) return nullptr;
  if (const auto known = known_.find(name); known != known_.end()) return &known->second;
  // A graph input with an initializer has a default value that a caller may replace.
  if (const auto given = given_.find(name); given != given_.end() && !hidden_.contains(name))
    return &known_.emplace(name, TensorView::of(given->second)).first->second;
  for (auto inner = inner_.rbegin(); inner != inner_.rend(); ++inner)
    if (const auto found = (*inner)->initializers.find(name); found != (*inner)->initializers.end())
      return &known_.emplace(name, parse(found->second)).first->second;
  const auto initializer = graph_.initializers.find(name);
  if (initializer == graph_.initializers.end()) return nullptr;
  return &known_.emplace(name, parse(initializer->second)).first->second;
}

void OnnxConstants::done_with(const OnnxNode& node) {
  for (const std::string& name : node.inputs)
    if (std::size_t& uses = uses_[name]; uses > 0 && --uses == 0) known_.erase(name);
}

std::vector<std::int64_t> OnnxConstants::integers_of(const TensorView& tensor) {
  std::vector<std::int64_t> values;
  for (std::size_t at = 0; at < tensor.bytes.size(); at += size_bytes(tensor.type)) {
    std::int64_t wide = 0;
    std::int32_t narrow = 0;
    if (tensor.type == ElementType::I64)
      std::memcpy(&wide, tensor.bytes.data() + at, sizeof wide);
    else if (tensor.type == ElementType::I32)
      std::memcpy(&narrow, tensor.bytes.data() + at, sizeof narrow), wide = narrow;
    else
      wide = tensor.bytes[at] != std::byte{0} ? 1 : 0;
    values.push_back(wide);
  }
  return values;
}

bool OnnxConstants::is_done(const std::string& name) const {
  const auto found = uses_.find(name);
  return found == uses_.end() || found->second == 0;
}

std::optional<std::vector<std::int64_t>> OnnxConstants::integers(const std::string& name) {
  const TensorView* tensor = find(name);
  const bool whole = tensor != nullptr && (tensor->type == ElementType::I64 || tensor->type == ElementType::I32 ||
                                           tensor->type == ElementType::Bool);
  if (!whole) return std::nullopt;
  return integers_of(*tensor);
}

bool OnnxConstants::fold(const OnnxNode& node) {
  static const std::set<std::string> folding = {"Constant", "Identity",  "Concat",  "Slice",
                                                "Squeeze",  "Unsqueeze", "Reshape", "Transpose"};
  if (node.outputs.size() != 1) return false;
  if (fold_quantized(node, file_, *this)) return true;
  if (!node.domain.empty()) return false;
  if (fold_arithmetic(node, file_, *this)) return true;
  if (!folding.contains(node.op)) return false;
  std::vector<const TensorView*> inputs;
  for (const std::string& name : node.inputs) {
    if (name.empty()) continue;
    inputs.push_back(find(name));
    if (inputs.back() == nullptr) return false;
  }
  if (inputs.empty() != (node.op == "Constant")) OnnxAttributes(node, file_).invalid("has the wrong number of inputs");
  known_[node.outputs[0]] = evaluate(node, inputs);
  return true;
}

TensorView OnnxConstants::evaluate(const OnnxNode& node, const std::vector<const TensorView*>& inputs) {
  OnnxAttributes attributes(node, file_);
  const auto done = [&](TensorView tensor) { return attributes.finish(), tensor; };
  if (node.op == "Constant") return done(constant(attributes));
  const TensorView& data = *inputs.front();
  if (node.op == "Concat") return done(concat(attributes, inputs, most_bytes()));
  if (node.op == "Slice") return done(slice(attributes, data));
  if (node.op == "Squeeze") return done(squeeze(attributes, data, *this));
  if (node.op == "Unsqueeze") return done(unsqueeze(attributes, data, *this));
  if (node.op == "Transpose") return done(transpose(attributes, data));
  if (node.op == "Reshape") {
    auto shape = attributes.integers("shape");  // opset 1
    return done(reshape(attributes, data, shape ? shape : integers(node.input(1))));
  }
  return done(data);
}

TensorView OnnxConstants::constant(OnnxAttributes& attributes) {
  if (const OnnxAttribute* value = attributes.tensor("value")) return parse(value->tensor);
  const auto of = [](ElementType type, Shape shape, const auto& values) {
    const auto bytes = std::as_bytes(std::span(values));
    return TensorView::own(type, std::move(shape), {bytes.begin(), bytes.end()});
  };
  if (const auto value = attributes.integer("value_int")) return of(ElementType::I64, {}, std::vector{*value});
  if (const auto value = attributes.real("value_float")) return of(ElementType::F32, {}, std::vector{*value});
  if (const auto values = attributes.integers("value_ints"))
    return of(ElementType::I64, {static_cast<std::int64_t>(values->size())}, *values);
  if (const auto values = attributes.reals("value_floats"))
    return of(ElementType::F32, {static_cast<std::int64_t>(values->size())}, *values);
  attributes.unsupported("has no value that can be read; give it value, value_int(s) or value_float(s)");
}

// Slices a constant: starts, ends, axes and steps are attributes until opset 9 and inputs since.
TensorView OnnxConstants::slice(OnnxAttributes& attributes, const TensorView& data) {
  const auto list = [&](const char* name, std::size_t input) {
    auto values = attributes.integers(name);
    return values ? values : integers(attributes.node().input(input));
  };
  const auto starts = list("starts", 1), ends = list("ends", 2), axes = list("axes", 3);
  const auto steps = integers(attributes.node().input(4));
  if (!starts || !ends || starts->size() != ends->size() || (axes && axes->size() != starts->size()) ||
      (steps && steps->size() != starts->size()))
    attributes.invalid("starts, ends, axes and steps must be lists of one length");
  std::vector<std::int64_t> strides = strides_of(data);
  Shape shape = data.shape;
  std::int64_t first = 0;
  std::set<std::size_t> sliced;
  for (std::size_t k = 0; k < starts->size(); ++k) {
    const std::size_t d = onnx_axis(attributes, axes ? (*axes)[k] : static_cast<std::int64_t>(k), data.shape.size());
    if (!sliced.insert(d).second) attributes.invalid("an axis stands in axes twice");
    const std::int64_t size = data.shape[d], step = steps ? (*steps)[k] : 1;
    if (step == 0) attributes.invalid("slices with a step of 0");
    if (step < 0) {
      const auto from = [&](std::int64_t at) {
        return std::clamp<std::int64_t>(at < -size ? -1 : at < 0 ? at + size : at, -1, size - 1);
      };
      const std::int64_t begin = from((*starts)[k]), end = std::min(begin, from((*ends)[k]));
      const std::int64_t stride = std::max(step, -size - 1);
      first += begin * strides[d];
      shape[d] = (begin - end - stride - 1) / -stride;
      strides[d] *= stride;
      continue;
    }
    const auto clamped = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size); };
    const std::int64_t begin = clamped((*starts)[k]), end = std::max(begin, clamped((*ends)[k]));
    first += begin * strides[d];
    shape[d] = (end - begin) / step + ((end - begin) % step != 0);
    strides[d] = step >= size ? 0 : strides[d] * step;
  }
  return gather(data, shape, first, strides);
}

}  // namespace rnnc::files
