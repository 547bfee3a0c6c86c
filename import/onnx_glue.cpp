// The operators that exporters put between recurrent nodes and behind them.
#include <algorithm>
#include <charconv>
#include <functional>

#include "import/file_error.hpp"
#include "import/matrix.hpp"
#include "import/onnx_values.hpp"

namespace rnnc::files {
namespace {

std::string number(float value) {
  char buffer[32];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

class Glue {
 public:
  Glue(const OnnxNode& node, const std::map<std::string, OnnxValue>& values, OnnxConstants& constants,
       NetworkText& text, std::string_view file)
      : attributes_(node, file), node_(node), values_(values), constants_(constants), text_(text) {}

  OnnxValue evaluate();

 private:
  const OnnxValue* find(std::size_t input) const {
    const auto found = values_.find(node_.input(input));
    return found == values_.end() ? nullptr : &found->second;
  }
  const OnnxValue& value(std::size_t input) {
    if (const OnnxValue* found = find(input)) return *found;
    attributes_.unsupported("its input " + std::to_string(input) + " must depend on the model's input");
  }
  const TensorView& constant(std::size_t input) {
    const TensorView* found = constants_.find(node_.input(input));
    if (found == nullptr) attributes_.unsupported("its input " + std::to_string(input) + " must be a constant");
    if (found->type != ElementType::F32 && found->type != ElementType::F64 && found->type != ElementType::F16)
      attributes_.unsupported("its input " + std::to_string(input) + " must be of floats");
    return *found;
  }

  OnnxValue each(const OnnxValue& value, const std::function<std::string(const std::string&)>& expression);
  OnnxValue function();
  OnnxValue binary();
  OnnxValue matmul();
  OnnxValue gemm();
  OnnxValue transpose();
  OnnxValue squeeze();
  OnnxValue unsqueeze();
  OnnxValue reshape();
  OnnxValue concat();
  OnnxValue softmax();
  OnnxValue gather();
  std::string operand(const TensorView& tensor, const OnnxValue& beside);
  OnnxValue product(const OnnxValue& x, Tensor W, const std::string& added);
  Tensor kernel(const OnnxValue& x, bool turned);

  OnnxAttributes attributes_;
  const OnnxNode& node_;
  const std::map<std::string, OnnxValue>& values_;
  OnnxConstants& constants_;
  NetworkText& text_;
};

OnnxValue Glue::each(const OnnxValue& value, const std::function<std::string(const std::string&)>& expression) {
  OnnxValue result = value;
  for (std::string& part : result.parts) part = text_.let("v", expression(part));
  return result;
}

OnnxValue Glue::function() {
  static const std::map<std::string, std::string> plain = {{"Relu", "relu"},
                                                           {"Tanh", "tanh"},
                                                           {"Sigmoid", "sigmoid"},
                                                           {"Softsign", "softsign"},
                                                           {"Softplus", "softplus"},
                                                           {"Abs", "abs"},
                                                           {"Exp", "exp"},
                                                           {"Log", "log"},
                                                           {"Sqrt", "sqrt"},
                                                           {"Erf", "erf"},
                                                           {"Neg", "-"},
                                                           {"Elu", "elu"},
                                                           {"LeakyRelu", "leaky_relu"},
                                                           {"HardSigmoid", "hard_sigmoid"},
                                                           {"ThresholdedRelu", "thresholded_relu"}};
  const std::string name = plain.at(node_.op);
  std::string more;
  const auto add = [&](const char* attribute, float standard) {
    more += ", " + number(attributes_.real(attribute).value_or(standard));
  };
  if (node_.op == "Elu" || node_.op == "ThresholdedRelu") add("alpha", 1);
  if (node_.op == "LeakyRelu") add("alpha", 0.01f);
  if (node_.op == "HardSigmoid") add("alpha", 0.2f), add("beta", 0.5f);
  if (node_.inputs.size() != 1) attributes_.invalid("takes one input, not " + std::to_string(node_.inputs.size()));
  return each(value(0), [&](const std::string& part) { return name + "(" + part + more + ")"; });
}

// One number for all features, or one for each.
std::string Glue::operand(const TensorView& tensor, const OnnxValue& beside) {
  if (tensor.elements() == 1) return text_.param("k", Tensor::from_f32({}, tensor.to_f32()));
  const bool features = !tensor.shape.empty() && tensor.elements() == tensor.shape.back() &&
                        tensor.shape.size() <= beside.axes.size() && beside.axes.back() == 'F';
  if (!features || tensor.elements() != beside.size)
    attributes_.unsupported("a constant of shape " + to_string(tensor.shape) + " beside " +
                            std::to_string(beside.size) +
                            " features; one number, or one for each feature, can be imported");
  return text_.param("k", Tensor::from_f32({beside.size}, tensor.to_f32()));
}

OnnxValue Glue::binary() {
  static const std::map<std::string, std::string> signs = {
      {"Add", " + "}, {"Sub", " - "}, {"Mul", " * "}, {"Div", " / "}};
  const std::string sign = signs.at(node_.op);
  if (node_.inputs.size() != 2) attributes_.invalid("takes two inputs, not " + std::to_string(node_.inputs.size()));
  const OnnxValue *a = find(0), *b = find(1);
  if (a && b) {
    if (a->axes != b->axes || a->size != b->size || a->parts.size() != b->parts.size())
      attributes_.unsupported("its inputs differ in shape: " + a->axes + " of " + std::to_string(a->size) +
                              " features and " + b->axes + " of " + std::to_string(b->size));
    OnnxValue result = *a;
    for (std::size_t d = 0; d < a->parts.size(); ++d)
      result.parts[d] = text_.let("v", a->parts[d] + sign + b->parts[d]);
    return result;
  }
  const OnnxValue& x = a ? *a : value(1);
  const std::string k = operand(constant(a ? 1 : 0), x);
  return each(x, [&](const std::string& part) { return a ? part + sign + k : k + sign + part; });
}

// The constant at input 1 as [outputs, features]; `turned` where it stands so in the file.
Tensor Glue::kernel(const OnnxValue& x, bool turned) {
  if (x.axes.empty() || x.axes.back() != 'F')
    attributes_.unsupported("multiplies along a dimension that is not the features");
  const TensorView& found = constant(1);
  const Shape& shape = found.shape;
  if (shape.size() != 2 || shape[0] < 1 || shape[1] < 1 || shape[turned ? 1 : 0] != x.size)
    attributes_.unsupported("shape mismatch: " + std::to_string(x.size) + " features times a " +
                            (turned ? "transposed " : "") + "constant of shape " + to_string(shape));
  if (turned) return found.part(shape, 0);
  return Matrix{shape[0], shape[1], found.to_f32()}.transposed().tensor();
}

OnnxValue Glue::product(const OnnxValue& x, Tensor W, const std::string& added) {
  const std::int64_t outputs = W.shape[0];
  const std::string name = text_.param("W", std::move(W));
  OnnxValue result = each(x, [&](const std::string& part) { return name + " @ " + part + added; });
  result.size = outputs;
  return result;
}

OnnxValue Glue::matmul() { return product(value(0), kernel(value(0), false), ""); }

OnnxValue Glue::gemm() {
  const float alpha = attributes_.real("alpha").value_or(1), beta = attributes_.real("beta").value_or(1);
  if (attributes_.integer("transA").value_or(0) != 0)
    attributes_.unsupported("transA is set; transpose the weights instead");
  const bool turned = attributes_.integer("transB").value_or(0) != 0;
  static_cast<void>(attributes_.integer("broadcast"));  // opset 1 to 6; C is spread in any case
  Tensor W = kernel(value(0), turned);
  if (alpha != 1) {
    std::vector<float> scaled = W.to_f32();
    for (float& w : scaled) w *= alpha;
    W = Tensor::from_f32(W.shape, scaled);
  }
  std::string added;
  if (!node_.input(2).empty()) {
    const TensorView& C = constant(2);
    const std::int64_t outputs = W.shape[0];
    if (C.elements() != 1 && (C.elements() != outputs || C.shape.back() != outputs))
      attributes_.unsupported("C of shape " + to_string(C.shape) + " is not one number for each output");
    std::vector<float> c = C.to_f32();
    c.resize(static_cast<std::size_t>(outputs), c[0]);
    for (float& v : c) v *= beta;
    added = " + " + text_.param("b", Tensor::from_f32({outputs}, c));
  }
  return product(value(0), std::move(W), added);
}

OnnxValue Glue::transpose() {
  OnnxValue result = value(0);
  std::vector<std::int64_t> order;
  for (std::size_t i = result.axes.size(); i-- > 0;) order.push_back(static_cast<std::int64_t>(i));
  order = attributes_.integers("perm").value_or(order);
  const std::string old = result.axes;
  std::set<std::int64_t> seen(order.begin(), order.end());
  if (order.size() != old.size() || seen.size() != order.size() || *seen.begin() < 0 ||
      *seen.rbegin() >= static_cast<std::int64_t>(old.size()))
    attributes_.invalid("perm is no order of the " + std::to_string(old.size()) + " dimensions");
  for (std::size_t i = 0; i < order.size(); ++i) result.axes[i] = old[static_cast<std::size_t>(order[i])];
  return result;
}

OnnxValue Glue::squeeze() {
  OnnxValue result = value(0);
  const auto axes = onnx_axes(attributes_, constants_);
  if (!axes) attributes_.unsupported("has no axes; name them, since which dimensions are 1 depends on the data");
  std::set<std::size_t> gone;
  for (const std::int64_t axis : *axes) gone.insert(onnx_axis(attributes_, axis, result.axes.size()));
  std::string left;
  for (std::size_t i = 0; i < result.axes.size(); ++i) {
    const char axis = result.axes[i];
    if (!gone.contains(i))
      left += axis;
    else if (axis != '1' && !(axis == 'D' && result.parts.size() == 1))
      attributes_.unsupported("squeezes dimension " + std::to_string(i) + ", which need not be 1");
  }
  result.axes = left;
  return result;
}

OnnxValue Glue::unsqueeze() {
  OnnxValue result = value(0);
  const auto axes = onnx_axes(attributes_, constants_);
  if (!axes) attributes_.invalid("axes are missing");
  const std::size_t rank = result.axes.size() + axes->size();
  std::set<std::size_t> added;
  for (const std::int64_t axis : *axes)
    if (!added.insert(onnx_axis(attributes_, axis, rank)).second) attributes_.invalid("an axis stands in axes twice");
  std::string left = result.axes;
  for (const std::size_t axis : added) left.insert(axis, "1");
  result.axes = left;
  return result;
}

// Directions and features become features, as in torch's [T, B, 2*H]; nothing else can be reshaped.
OnnxValue Glue::reshape() {
  OnnxValue result = value(0);
  auto shape = attributes_.integers("shape");
  if (!shape) shape = constants_.integers(node_.input(1));
  if (attributes_.integer("allowzero").value_or(0) != 0) attributes_.unsupported("allowzero is set");
  if (!shape) attributes_.unsupported("its shape must be a constant");
  const auto features = static_cast<std::int64_t>(result.parts.size()) * result.size;
  const bool joins = result.axes.ends_with("DF") && shape->size() + 1 == result.axes.size() &&
                     (shape->back() == features || shape->back() == -1) && std::ranges::count(*shape, -1) <= 1;
  if (!joins) attributes_.unsupported("only the join of directions and features [..,D,H] to [..,D*H] can be imported");
  std::string joined = result.parts[0];
  if (result.parts.size() > 1) joined = text_.let("v", "concat(" + result.parts[0] + ", " + result.parts[1] + ")");
  result.axes.erase(result.axes.size() - 2, 1);
  result.parts = {joined};
  result.size = features;
  return result;
}

OnnxValue Glue::concat() {
  const auto axis = attributes_.integer("axis");
  OnnxValue result = value(0);
  if (!axis) attributes_.invalid("attribute axis is missing");
  if (result.axes[onnx_axis(attributes_, *axis, result.axes.size())] != 'F' || result.parts.size() != 1)
    attributes_.unsupported("joins along a dimension that is not the features");
  for (std::size_t i = 1; i < node_.inputs.size(); ++i) {
    const OnnxValue& other = value(i);
    if (other.axes != result.axes || other.parts.size() != 1) attributes_.unsupported("its inputs differ in shape");
    result.parts[0] += ", " + other.parts[0];
    result.size += other.size;
  }
  result.parts[0] = text_.let("v", "concat(" + result.parts[0] + ")");
  return result;
}

OnnxValue Glue::softmax() {
  const OnnxValue& x = value(0);
  const auto axis = attributes_.integer("axis");
  if (!axis || x.axes[onnx_axis(attributes_, *axis, x.axes.size())] != 'F' || x.axes.back() != 'F')
    attributes_.unsupported("softmax along a dimension that is not the last, the features; name the axis");
  return each(x, [](const std::string& part) { return "softmax(" + part + ")"; });
}

// The last or first step, or one direction.
OnnxValue Glue::gather() {
  OnnxValue result = value(0);
  const std::size_t at = onnx_axis(attributes_, attributes_.integer("axis").value_or(0), result.axes.size());
  const TensorView* tensor = constants_.find(node_.input(1));
  const auto index = constants_.integers(node_.input(1));
  if (!index || index->size() != 1) attributes_.unsupported("takes several indices, or such that depend on the data");
  const char axis = result.axes[at];
  const std::int64_t i = index->front();
  const auto parts = static_cast<std::int64_t>(result.parts.size());
  if (axis == 'D' && i >= -parts && i < parts)
    result.parts = {result.parts[static_cast<std::size_t>(i < 0 ? i + parts : i)]};
  else if (axis == 'T' && (i == 0 || i == -1))
    for (std::string& part : result.parts) part = text_.let("v", (i == 0 ? "first(" : "last(") + part + ")");
  else
    attributes_.unsupported("takes index " + std::to_string(i) + " of dimension " + std::to_string(at) +
                            "; the first and last step and a direction can be imported");
  if (tensor->shape.empty())
    result.axes.erase(at, 1);
  else
    result.axes[at] = '1';
  return result;
}

OnnxValue Glue::evaluate() {
  static const std::map<std::string, OnnxValue (Glue::*)()> operators = {
      {"Add", &Glue::binary},          {"Sub", &Glue::binary},      {"Mul", &Glue::binary},
      {"Div", &Glue::binary},          {"MatMul", &Glue::matmul},   {"Gemm", &Glue::gemm},
      {"Transpose", &Glue::transpose}, {"Squeeze", &Glue::squeeze}, {"Unsqueeze", &Glue::unsqueeze},
      {"Reshape", &Glue::reshape},     {"Concat", &Glue::concat},   {"Softmax", &Glue::softmax},
      {"Gather", &Glue::gather}};
  for (const char* name : {"Relu", "Tanh", "Sigmoid", "Softsign", "Softplus", "Abs", "Exp", "Log", "Sqrt", "Erf", "Neg",
                           "Elu", "LeakyRelu", "HardSigmoid", "ThresholdedRelu"})
    if (node_.op == name && node_.domain.empty()) {
      OnnxValue result = function();
      return attributes_.finish(), result;
    }
  if (node_.op == "Identity" && node_.domain.empty()) return attributes_.finish(), value(0);
  const auto found = operators.find(node_.op);
  if (found == operators.end() || !node_.domain.empty())
    attributes_.unsupported("operator " + in_quotes((node_.domain.empty() ? "" : node_.domain + ".") + node_.op) +
                            " cannot be imported; cut the model to its recurrent part");
  if (node_.outputs.size() != 1)
    attributes_.unsupported("has " + std::to_string(node_.outputs.size()) + " outputs, not one");
  OnnxValue result = (this->*found->second)();
  return attributes_.finish(), result;
}

}  // namespace

std::string NetworkText::fresh(const std::string& wish) {
  std::string name = wish;
  for (int i = 2; !names.insert(name).second; ++i) name = wish + std::to_string(i);
  return name;
}

std::string NetworkText::param(const std::string& wish, Tensor tensor) {
  const std::string name = fresh(wish);
  std::string dims;
  for (const std::int64_t dim : tensor.shape) dims += (dims.empty() ? "" : ", ") + std::to_string(dim);
  params += "  param " + name + " : f32" + (dims.empty() ? "" : "[" + dims + "]") + "\n";
  weights[name] = std::move(tensor);
  return name;
}

std::string NetworkText::let(const std::string& wish, const std::string& expression) {
  const std::string name = fresh(wish);
  statements += "  " + name + " = " + expression + "\n";
  return name;
}

OnnxValue evaluate_glue(const OnnxNode& node, const std::map<std::string, OnnxValue>& values, OnnxConstants& constants,
                        NetworkText& text, std::string_view file) {
  return Glue(node, values, constants, text, file).evaluate();
}

}  // namespace rnnc::files
