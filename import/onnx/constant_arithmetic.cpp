#include "import/onnx/constant_arithmetic.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "import/onnx/axes.hpp"

namespace rnnc::files {
namespace {

constexpr std::int64_t kMostWhole = std::int64_t{1} << 52;  // of a whole number that doubles compute with

struct Numbers {
  Shape shape;
  std::vector<double> values;
  bool real = true;
};

Numbers numbers_of(const TensorView& tensor) { return {tensor.shape, doubles_of(tensor), is_real(tensor.type)}; }

TensorView tensor_of(const Numbers& numbers) {
  std::vector<std::byte> bytes;
  if (numbers.real) {
    std::vector<float> values(numbers.values.begin(), numbers.values.end());
    const auto raw = std::as_bytes(std::span(values));
    bytes.assign(raw.begin(), raw.end());
    return TensorView::own(ElementType::F32, numbers.shape, std::move(bytes));
  }
  std::vector<std::int64_t> values;
  for (const double value : numbers.values) values.push_back(static_cast<std::int64_t>(value));
  const auto raw = std::as_bytes(std::span(values));
  bytes.assign(raw.begin(), raw.end());
  return TensorView::own(ElementType::I64, numbers.shape, std::move(bytes));
}

Axes axes_of(const Shape& shape) {
  Axes axes;
  for (const std::int64_t dim : shape) axes.push_back(Axis::of(dim));
  return axes;
}

Shape shape_of(const Axes& axes) { return fixed_shape(axes); }

Numbers pairwise(OnnxAttributes& attributes, const Numbers& a, const Numbers& b, std::size_t most,
                 const std::function<double(double, double)>& function) {
  for (const Numbers* one : {&a, &b})
    if (one->values.empty()) attributes.unsupported("computes with a constant without elements");
  const auto joined = broadcast(axes_of(a.shape), axes_of(b.shape));
  if (!joined) attributes.invalid("shape mismatch: " + to_string(a.shape) + " and " + to_string(b.shape));
  if (static_cast<std::size_t>(fixed(*joined)) > most / sizeof(float))
    attributes.too_large("makes a constant that is larger than the whole file");
  Numbers result{shape_of(*joined), {}, a.real || b.real};
  const auto left = spread(axes_of(a.shape), *joined), right = spread(axes_of(b.shape), *joined);
  for (std::size_t i = 0; i < left.size(); ++i)
    result.values.push_back(
        function(a.values[static_cast<std::size_t>(left[i])], b.values[static_cast<std::size_t>(right[i])]));
  return result;
}

using Pair = std::function<double(double, double)>;
using One = std::function<double(double)>;

const std::map<std::string, Pair>& pairs() {
  static const std::map<std::string, Pair> table = {
      {"Add", [](double a, double b) { return a + b; }},
      {"Sub", [](double a, double b) { return a - b; }},
      {"Mul", [](double a, double b) { return a * b; }},
      {"Div", [](double a, double b) { return a / b; }},
      {"Pow", [](double a, double b) { return std::pow(a, b); }},
      {"Equal", [](double a, double b) { return a == b ? 1.0 : 0.0; }},
      {"Greater", [](double a, double b) { return a > b ? 1.0 : 0.0; }},
      {"Less", [](double a, double b) { return a < b ? 1.0 : 0.0; }},
      {"GreaterOrEqual", [](double a, double b) { return a >= b ? 1.0 : 0.0; }},
      {"LessOrEqual", [](double a, double b) { return a <= b ? 1.0 : 0.0; }},
      {"And", [](double a, double b) { return a != 0 && b != 0 ? 1.0 : 0.0; }},
      {"Or", [](double a, double b) { return a != 0 || b != 0 ? 1.0 : 0.0; }},
      {"Min", [](double a, double b) { return std::min(a, b); }},
      {"Max", [](double a, double b) { return std::max(a, b); }}};
  return table;
}

const std::map<std::string, One>& singles() {
  static const std::map<std::string, One> table = {{"Neg", [](double a) { return -a; }},
                                                   {"Abs", [](double a) { return std::fabs(a); }},
                                                   {"Exp", [](double a) { return std::exp(a); }},
                                                   {"Log", [](double a) { return std::log(a); }},
                                                   {"Sqrt", [](double a) { return std::sqrt(a); }},
                                                   {"Reciprocal", [](double a) { return 1 / a; }},
                                                   {"Tanh", [](double a) { return std::tanh(a); }},
                                                   {"Sigmoid", [](double a) { return 1 / (1 + std::exp(-a)); }},
                                                   {"Relu", [](double a) { return std::max(a, 0.0); }},
                                                   {"Not", [](double a) { return a == 0 ? 1.0 : 0.0; }},
                                                   {"Floor", [](double a) { return std::floor(a); }},
                                                   {"Ceil", [](double a) { return std::ceil(a); }}};
  return table;
}

// Tells whether a double holds every number of a tensor of whole numbers, and sums and differences of two.
bool is_followed(const TensorView* tensor) {
  const bool wide =
      tensor->type == ElementType::I64 || tensor->type == ElementType::I32 || tensor->type == ElementType::Bool;
  const auto small = [](std::int64_t number) { return number > -kMostWhole && number < kMostWhole; };
  return wide && tensor->elements() > 0 && std::ranges::all_of(OnnxConstants::integers_of(*tensor), small);
}

bool gives_truth(const std::string& op) {
  return op == "Equal" || op == "Greater" || op == "Less" || op == "GreaterOrEqual" || op == "LessOrEqual" ||
         op == "And" || op == "Or" || op == "Not";
}

}  // namespace

bool fold_arithmetic(const OnnxNode& node, std::string_view file, OnnxConstants& constants) {
  const auto pair = pairs().find(node.op);
  const auto single = singles().find(node.op);
  const bool casts = node.op == "Cast", chooses = node.op == "Where";
  if (pair == pairs().end() && single == singles().end() && !casts && !chooses) return false;
  std::vector<const TensorView*> tensors;
  for (const std::string& name : node.inputs) {
    if (name.empty()) continue;
    tensors.push_back(constants.find(name));
    if (tensors.back() == nullptr) return false;
  }
  OnnxAttributes attributes(node, file);
  const std::size_t wanted = pair != pairs().end() ? 2 : chooses ? 3 : 1;
  if (tensors.size() != wanted) {
    if (node.op == "Min" || node.op == "Max") return false;
    attributes.invalid("has the wrong number of inputs");
  }
  const bool whole = std::ranges::none_of(tensors, [](const TensorView* t) { return is_real(t->type); });
  if (casts) {
    const auto to = attributes.integer("to").value_or(0);
    static_cast<void>(attributes.integer("saturate"));
    const bool to_real = to == 1 || to == 10 || to == 11 || to == 16, to_whole = to == 6 || to == 7 || to == 9;
    if (!to_real && !to_whole) attributes.unsupported("casts to other than floats and whole numbers");
    attributes.finish();
    // Casts between floats keep the tensor: every reader takes them as f32.
    if (to_real && !whole) return constants.put(node.outputs[0], *tensors[0]), true;
    Numbers numbers = numbers_of(*tensors[0]);
    numbers.real = to_real;
    for (double& value : numbers.values) {
      if (to_whole && !(std::fabs(value) < 9e15))
        attributes.unsupported("casts " + std::to_string(value) + " to a whole number");
      value = to == 9 ? (value != 0 ? 1.0 : 0.0) : to_whole ? std::trunc(value) : value;
    }
    return constants.put(node.outputs[0], tensor_of(numbers)), true;
  }
  std::vector<Numbers> inputs;
  for (const TensorView* tensor : tensors) inputs.push_back(numbers_of(*tensor));
  // The class that follows sizes takes the whole numbers that doubles do not hold exactly.
  if (whole && !gives_truth(node.op) && (node.op == "Div" || !std::ranges::all_of(tensors, is_followed))) return false;
  static_cast<void>(attributes.integer("broadcast"));
  Numbers result;
  if (chooses) {
    const Numbers first = pairwise(attributes, inputs[0], inputs[1], constants.most_bytes(),
                                   [](double c, double x) { return c != 0 ? x : 0; });
    const Numbers mask =
        pairwise(attributes, inputs[0], first, constants.most_bytes(), [](double c, double) { return c; });
    const Numbers other =
        pairwise(attributes, mask, inputs[2], constants.most_bytes(), [](double, double y) { return y; });
    const Numbers again =
        pairwise(attributes, other, first, constants.most_bytes(), [](double, double x) { return x; });
    const Numbers wide =
        pairwise(attributes, other, inputs[0], constants.most_bytes(), [](double, double c) { return c; });
    result = other;
    for (std::size_t i = 0; i < result.values.size(); ++i)
      if (wide.values[i] != 0) result.values[i] = again.values[i];
  } else if (pair != pairs().end()) {
    result = pairwise(attributes, inputs[0], inputs[1], constants.most_bytes(), pair->second);
  } else {
    result = inputs[0];
    for (double& value : result.values) value = single->second(value);
  }
  result.real = !gives_truth(node.op) && !whole;
  const auto is = [&](ElementType type) {
    return std::ranges::any_of(tensors, [&](const TensorView* t) { return t->type == type; });
  };
  const bool narrow = is(ElementType::I32) && !is(ElementType::I64);
  const double most = narrow ? std::numeric_limits<std::int32_t>::max() : static_cast<double>(kMostWhole);
  if (whole && std::ranges::any_of(result.values, [&](double value) { return std::fabs(value) > most; }))
    attributes.unsupported("makes a whole number that is too large to be followed");
  attributes.finish();
  TensorView tensor = tensor_of(result);
  // A number of 32 bits stays one, so that what is computed of it keeps the bound of its type.
  if (whole && narrow && !gives_truth(node.op)) {
    const std::vector<std::int32_t> numbers(result.values.begin(), result.values.end());
    const auto raw = std::as_bytes(std::span(numbers));
    tensor = TensorView::own(ElementType::I32, result.shape, {raw.begin(), raw.end()});
  }
  constants.put(node.outputs[0], std::move(tensor));
  return true;
}

}  // namespace rnnc::files
