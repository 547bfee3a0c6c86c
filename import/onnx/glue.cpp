// This file translates the operators that exporters put between recurrent nodes and behind them: functions and
// products.
#include "import/onnx/glue.hpp"

#include <algorithm>

#include <rnnc/join.hpp>

#include "import/file_error.hpp"
#include "import/matrix.hpp"
#include "ir/print.hpp"

namespace rnnc::files {

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
    more += ", " + ir::number_text(attributes_.real(attribute).value_or(standard));
  };
  if (node_.op == "Elu" || node_.op == "ThresholdedRelu") add("alpha", 1);
  if (node_.op == "LeakyRelu") add("alpha", 0.01f);
  if (node_.op == "HardSigmoid") add("alpha", 0.2f), add("beta", 0.5f);
  if (node_.inputs.size() != 1) attributes_.invalid("takes one input, not " + std::to_string(node_.inputs.size()));
  return each(value(0), [&](const std::string& part) { return name + "(" + part + more + ")"; });
}

// Adds a constant as a parameter: one number for all features, or one for each.
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
    // One number at each step is joined with features: a mean keeps such a dim of size 1 of its features, for example.
    const auto spreads = [](const OnnxValue& one, const OnnxValue& many) {
      return one.axes.ends_with('1') && many.axes.ends_with('F') && one.axes.size() == many.axes.size() &&
             std::equal(one.axes.begin(), one.axes.end() - 1, many.axes.begin());
    };
    const bool same = a->axes == b->axes && a->size == b->size;
    if ((!same && !spreads(*a, *b) && !spreads(*b, *a)) || a->parts.size() != b->parts.size())
      attributes_.unsupported("its inputs differ in shape: " + a->axes + " of " + std::to_string(a->size) +
                              " features and " + b->axes + " of " + std::to_string(b->size));
    OnnxValue result = spreads(*a, *b) ? *b : *a;
    for (std::size_t d = 0; d < a->parts.size(); ++d)
      result.parts[d] = text_.let("v", a->parts[d] + sign + b->parts[d]);
    return result;
  }
  const OnnxValue& x = a ? *a : value(1);
  const std::string k = operand(constant(a ? 1 : 0), x);
  return each(x, [&](const std::string& part) { return a ? part + sign + k : k + sign + part; });
}

// Returns the constant at input 1 as [outputs, features]; `turned` tells that the file has it in this order.
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
  static_cast<void>(attributes_.integer("broadcast"));  // opset 1 to 6; C is broadcast in any case
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

void Glue::needs_features(const OnnxValue& x, std::int64_t axis) {
  if (x.axes[onnx_axis(attributes_, axis, x.axes.size())] != 'F' || x.axes.back() != 'F')
    attributes_.unsupported(node_.op + " along a dimension that is not the last, the features; name the axis");
}

OnnxValue Glue::softmax() {
  const OnnxValue& x = value(0);
  needs_features(x, attributes_.integer("axis").value_or(0));  // opsets have different defaults: none is taken
  return each(x, [](const std::string& part) { return "softmax(" + part + ")"; });
}

// The function of a sequence is written as a cell, since max and sum of a network's sequence are functions over time.
OnnxValue Glue::log_softmax() {
  const OnnxValue& x = value(0);
  needs_features(x, attributes_.integer("axis").value_or(0));
  if (x.axes.find('T') == std::string::npos)
    return each(each(x, [](const std::string& part) { return part + " - max(" + part + ")"; }),
                [](const std::string& part) { return part + " - log(sum(exp(" + part + ")))"; });
  const std::string cell = text_.fresh("log_softmax");
  text_.cells += "\ncell " + cell + "<N> {\n  input x : f32[N]\n\n  d = x - max(x)\n  output d - log(sum(exp(d)))\n}\n";
  return each(x, [&](const std::string& part) { return cell + "(" + part + ")"; });
}

OnnxValue Glue::layer_norm() {
  const OnnxValue& x = value(0);
  needs_features(x, attributes_.integer("axis").value_or(-1));
  if (attributes_.integer("stash_type").value_or(1) != 1) attributes_.unsupported("stash_type is not 1, f32");
  const std::string eps = ir::number_text(attributes_.real("epsilon").value_or(1e-5f));
  const auto vector = [&](std::size_t input, float standard) {
    std::vector<float> values(static_cast<std::size_t>(x.size), standard);
    if (!node_.input(input).empty()) values = constant(input).to_f32();
    if (static_cast<std::int64_t>(values.size()) != x.size)
      attributes_.invalid("shape mismatch: its input " + std::to_string(input) + " is not one number for each feature");
    return text_.param("k", Tensor::from_f32({x.size}, values));
  };
  const std::string gamma = vector(1, 1), beta = vector(2, 0);
  return each(
      x, [&](const std::string& part) { return "layer_norm(" + part + ", " + gamma + ", " + beta + ", " + eps + ")"; });
}

OnnxValue Glue::reduce() {
  static const std::map<std::string, std::string> functions = {
      {"ReduceMean", "mean"}, {"ReduceMax", "max"}, {"ReduceSum", "sum"}};
  const std::string function = functions.at(node_.op);
  OnnxValue result = value(0);
  const auto axes = onnx_axes(attributes_, constants_);
  const bool keeps = attributes_.integer("keepdims").value_or(1) != 0;
  static_cast<void>(attributes_.integer("noop_with_empty_axes"));  // it has no effect, since axes are not empty
  const std::size_t at =
      axes && axes->size() == 1 ? onnx_axis(attributes_, axes->front(), result.axes.size()) : result.axes.size();
  if (at + 1 == result.axes.size() && result.axes[at] == 'F' && keeps) return reduce_features(result, function);
  if (at == result.axes.size() || result.axes[at] != 'T')
    attributes_.unsupported("reduces other than the steps of a sequence, or the features with keepdims");
  over_time(result, function);
  if (keeps)
    result.axes[at] = '1';
  else
    result.axes.erase(at, 1);
  return result;
}

// The function of a sequence is written as a cell, as in log_softmax.
OnnxValue Glue::reduce_features(const OnnxValue& x, const std::string& function) {
  std::string name = function;
  if (x.axes.find('T') != std::string::npos) {
    name = text_.fresh(function + "_of_features");
    text_.cells += "\ncell " + name + "<N> {\n  input x : f32[N]\n\n  output " + function + "(x)\n}\n";
  }
  OnnxValue result = each(x, [&](const std::string& part) { return name + "(" + part + ")"; });
  result.axes.back() = '1';
  result.size = 1;
  return result;
}

OnnxValue Glue::power() {
  const TensorView& exponent = constant(1);
  const float value = exponent.elements() == 1 ? exponent.to_f32().front() : 0;
  if (value != 2 && value != 0.5f) attributes_.unsupported("raises to another power than 2 and 0.5");
  return each(this->value(0),
              [&](const std::string& part) { return value == 2 ? part + " * " + part : "sqrt(" + part + ")"; });
}

OnnxValue Glue::cast() {
  const OnnxValue& x = value(0);
  const auto to = attributes_.integer("to").value_or(0);
  const bool indices = x.axes.find('F') == std::string::npos && (to == 6 || to == 7);
  if (to != 1 && !indices) attributes_.unsupported("casts to other than f32; numbers of tokens may be integers");
  return x;
}

OnnxValue Glue::evaluate() {
  static const std::map<std::string, OnnxValue (Glue::*)()> operators = {{"Add", &Glue::binary},
                                                                         {"Sub", &Glue::binary},
                                                                         {"Mul", &Glue::binary},
                                                                         {"Div", &Glue::binary},
                                                                         {"MatMul", &Glue::matmul},
                                                                         {"Gemm", &Glue::gemm},
                                                                         {"Transpose", &Glue::transpose},
                                                                         {"Squeeze", &Glue::squeeze},
                                                                         {"Unsqueeze", &Glue::unsqueeze},
                                                                         {"Reshape", &Glue::reshape},
                                                                         {"Concat", &Glue::concat},
                                                                         {"Softmax", &Glue::softmax},
                                                                         {"LogSoftmax", &Glue::log_softmax},
                                                                         {"Pow", &Glue::power},
                                                                         {"LayerNormalization", &Glue::layer_norm},
                                                                         {"Gather", &Glue::gather},
                                                                         {"Slice", &Glue::slice},
                                                                         {"Flatten", &Glue::flatten},
                                                                         {"Cast", &Glue::cast},
                                                                         {"ReduceMean", &Glue::reduce},
                                                                         {"ReduceMax", &Glue::reduce},
                                                                         {"ReduceSum", &Glue::reduce}};
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

std::string OnnxValue::joined() const { return parts.size() == 1 ? parts[0] : "concat(" + join(parts) + ")"; }

std::string NetworkText::fresh(const std::string& wish) {
  std::string name = wish;
  for (int i = 2; !names.insert(name).second; ++i) name = wish + std::to_string(i);
  return name;
}

std::string NetworkText::param(const std::string& wish, Tensor tensor) {
  const std::string name = fresh(wish);
  params += "  param " + name + " : f32" + (tensor.shape.empty() ? "" : "[" + join(tensor.shape) + "]") + "\n";
  weights[name] = std::move(tensor);
  return name;
}

std::string NetworkText::let(const std::string& wish, const std::string& expression) {
  const std::string name = fresh(wish);
  statements += "  " + name + " = " + expression + "\n";
  return name;
}

OnnxValue evaluate_glue(const OnnxNode& node, const std::map<std::string, OnnxValue>& values, OnnxConstants& constants,
                        const OnnxShapes& shapes, NetworkText& text, std::string_view file) {
  return Glue(node, values, constants, shapes, text, file).evaluate();
}

}  // namespace rnnc::files
