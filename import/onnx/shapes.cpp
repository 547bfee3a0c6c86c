#include "import/onnx/shapes.hpp"

#include <algorithm>

namespace rnnc::files {
namespace {

// Returns the dims of x or of a value that depends on it.
OnnxShape shape_of(const OnnxValue& value) {
  OnnxShape shape;
  for (const char axis : value.axes) switch (axis) {
      case 'D': shape.dims.push_back({0, static_cast<std::int64_t>(value.parts.size())}); break;
      case 'F': shape.dims.push_back({0, value.size}); break;
      case '1': shape.dims.push_back({0, 1}); break;
      default: shape.dims.push_back({axis, 0});
    }
  return shape;
}

// Returns the elements from begin to end of a list; ONNX counts negative positions from the end of the list.
OnnxShape range(const OnnxShape& from, std::int64_t begin, std::int64_t end) {
  const auto size = static_cast<std::int64_t>(from.dims.size());
  const auto clamped = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size); };
  OnnxShape result;
  for (std::int64_t i = clamped(begin); i < clamped(end); ++i)
    result.dims.push_back(from.dims[static_cast<std::size_t>(i)]);
  return result;
}

std::int64_t known_size(const OnnxAttributes& attributes, const OnnxDim& dim) {
  if (dim.axis == 'T')
    attributes.unsupported("makes a constant as long as the sequence; only the batch may be among its dims");
  if (dim.axis == 0 && dim.size < 0) attributes.invalid("a dim of its shape is " + std::to_string(dim.size));
  return dim.axis == 'B' ? 1 : dim.size;
}

}  // namespace

const OnnxShape* OnnxShapes::find(const std::string& name) const {
  const auto found = shapes_.find(name);
  return found == shapes_.end() ? nullptr : &found->second;
}

// Returns a shape: one that is known, or a constant list of whole numbers.
OnnxShape OnnxShapes::shape(const OnnxAttributes& attributes, std::size_t input) const {
  const std::string name = attributes.node().input(input);
  if (const OnnxShape* found = find(name)) return *found;
  const auto numbers = constants_.integers(name);
  if (!numbers) attributes.unsupported("its input " + std::to_string(input) + " is no shape that is known");
  OnnxShape result;
  for (const std::int64_t number : *numbers) result.dims.push_back({0, number});
  return result;
}

OnnxShape OnnxShapes::concat(OnnxAttributes& attributes) const {
  if (attributes.integer("axis").value_or(0) != 0) attributes.invalid("axis of a list must be 0");
  OnnxShape result;
  for (std::size_t i = 0; i < attributes.node().inputs.size(); ++i) {
    const OnnxShape part = shape(attributes, i);
    if (part.is_scalar) attributes.invalid("joins a scalar");
    result.dims.insert(result.dims.end(), part.dims.begin(), part.dims.end());
  }
  return result;
}

OnnxShape OnnxShapes::gather(OnnxAttributes& attributes) const {
  if (attributes.integer("axis").value_or(0) != 0) attributes.invalid("axis of a list must be 0");
  const OnnxShape from = shape(attributes, 0);
  const TensorView* indices = constants_.find(attributes.node().input(1));
  const auto numbers = constants_.integers(attributes.node().input(1));
  if (indices == nullptr || !numbers || indices->shape.size() > 1)
    attributes.unsupported("takes dims by an index that is no constant");
  OnnxShape result{{}, indices->shape.empty()};
  for (const std::int64_t i : *numbers) result.dims.push_back(from.dims[onnx_axis(attributes, i, from.dims.size())]);
  return result;
}

OnnxShape OnnxShapes::slice(OnnxAttributes& attributes) const {
  const auto one = [&](const char* name, std::size_t input) {
    auto values = attributes.integers(name);
    if (!values) values = constants_.integers(attributes.node().input(input));
    return values && values->size() == 1 ? std::optional(values->front()) : std::nullopt;
  };
  const auto begin = one("starts", 1), end = one("ends", 2);
  const auto axis = one("axes", 3), step = one("steps", 4);
  if (!begin || !end || axis.value_or(0) != 0 || step.value_or(1) != 1)
    attributes.unsupported("slices a shape by other than one constant range");
  return range(shape(attributes, 0), *begin, *end);
}

// Translates Unsqueeze of a scalar to a list of one, and Squeeze back.
OnnxShape OnnxShapes::change_rank(OnnxAttributes& attributes) const {
  OnnxShape result = shape(attributes, 0);
  const auto axes = onnx_axes(attributes, constants_);
  const bool squeezes = attributes.node().op == "Squeeze";
  if ((axes && axes->size() != 1) || (!axes && !squeezes) || result.dims.size() != 1 || result.is_scalar == squeezes)
    attributes.unsupported("makes something of a shape that is neither a list nor a scalar");
  if (axes) onnx_axis(attributes, axes->front(), 1);
  result.is_scalar = squeezes;
  return result;
}

TensorView OnnxShapes::filled(OnnxAttributes& attributes) const {
  float value = 0;
  if (const OnnxAttribute* given = attributes.tensor("value")) {
    const TensorView tensor = constants_.parse(given->tensor);
    if (tensor.elements() != 1 || (tensor.type != ElementType::F32 && tensor.type != ElementType::F64))
      attributes.unsupported("value must be one float");
    value = tensor.to_f32().front();
  }
  Shape dims;
  for (const OnnxDim& dim : shape(attributes, 0).dims) dims.push_back(known_size(attributes, dim));
  const std::vector<float> one = {value};
  const auto bytes = std::as_bytes(std::span(one));
  return constants_.spread(attributes, TensorView::own(ElementType::F32, {}, {bytes.begin(), bytes.end()}), dims);
}

TensorView OnnxShapes::expanded(OnnxAttributes& attributes) const {
  const TensorView* data = constants_.find(attributes.node().input(0));
  if (data == nullptr || (data->type != ElementType::F32 && data->type != ElementType::F64))
    attributes.unsupported("expands what is no constant of floats");
  const OnnxShape wanted = shape(attributes, 1);
  const std::size_t rank = std::max(wanted.dims.size(), data->shape.size());
  Shape dims(rank, 1);
  for (std::size_t i = 0; i < rank; ++i) {  // from the last dim to the first
    const std::int64_t has = i < data->shape.size() ? data->shape[data->shape.size() - 1 - i] : 1;
    const OnnxDim dim = i < wanted.dims.size() ? wanted.dims[wanted.dims.size() - 1 - i] : OnnxDim{0, 1};
    const std::int64_t size = known_size(attributes, dim);
    dims[rank - 1 - i] = size == 1 ? has : size;
  }
  return constants_.spread(attributes, *data, dims);
}

bool OnnxShapes::evaluate(const OnnxNode& node, const std::map<std::string, OnnxValue>& values) {
  if (!node.domain.empty() || node.outputs.size() != 1) return false;
  OnnxAttributes attributes(node, file_);
  const auto known = [&](OnnxShape shape) { shapes_[node.outputs[0]] = std::move(shape); };
  if (node.op == "Shape") {
    const auto value = values.find(node.input(0));
    if (value == values.end()) attributes.unsupported("its input is not the model's input, nor depends on it");
    const OnnxShape whole = shape_of(value->second);
    const auto begin = attributes.integer("start").value_or(0), end = attributes.integer("end").value_or(1 << 24);
    known(range(whole, begin, end));
  } else if (node.op == "ConstantOfShape") {
    constants_.put(node.outputs[0], filled(attributes));
  } else if (node.op == "Expand") {
    constants_.put(node.outputs[0], expanded(attributes));
  } else if (std::ranges::none_of(node.inputs, [&](const std::string& name) { return find(name) != nullptr; })) {
    return false;
  } else if (node.op == "Concat") {
    known(concat(attributes));
  } else if (node.op == "Gather") {
    known(gather(attributes));
  } else if (node.op == "Slice") {
    known(slice(attributes));
  } else if (node.op == "Unsqueeze" || node.op == "Squeeze") {
    known(change_rank(attributes));
  } else if (node.op == "Cast" || node.op == "Identity") {
    const auto to = attributes.integer("to").value_or(7);
    if (to != 6 && to != 7) attributes.unsupported("makes a shape of other numbers than int32 and int64");
    known(shape(attributes, 0));
  } else {
    return false;
  }
  attributes.finish();
  return true;
}

}  // namespace rnnc::files
