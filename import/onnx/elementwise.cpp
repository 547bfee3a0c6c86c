#include <algorithm>
#include <cmath>

#include "import/onnx/glue.hpp"
#include "ir/print.hpp"

namespace rnnc::files {
namespace {

std::string number(float value) {
  const std::string text = ir::number_text(value);
  return text.starts_with('-') ? "(" + text + ")" : text;
}

}  // namespace

// Computes a function of operands that broadcast to one shape.
OnnxValue Glue::each(const std::vector<OnnxValue>& given, const Function& function) {
  std::vector<OnnxValue> operands = given;
  // Where both orders of the steps meet, those that are turned round are turned again.
  const auto is_sequence = [&](const OnnxValue& value, bool turned) {
    return value.turned == turned && std::ranges::any_of(value.elements, [&](Element e) {
             return !e.is_constant() && scope_.text.source(e.source).sequence;
           });
  };
  const auto has = [&](bool turned) {
    return std::ranges::any_of(given, [&](const OnnxValue& value) { return is_sequence(value, turned); });
  };
  const bool any_turned = std::ranges::any_of(given, &OnnxValue::turned) && has(true);
  const bool differ = any_turned && has(false);
  if (differ)
    for (OnnxValue& operand : operands) operand = scope_.text.in_order(std::move(operand));
  for (OnnxValue& operand : operands)
    for (const OnnxValue& other : given) operand = with_symbols(std::move(operand), other.axes);
  OnnxValue result;
  result.turned = any_turned && !differ;
  result.integer = true;
  for (const OnnxValue& operand : operands) {
    const auto joined = broadcast(result.axes, operand.axes);
    if (!joined)
      attributes_.unsupported("its inputs differ in shape: " + to_string(result.axes) + " and " +
                              to_string(operand.axes));
    result.axes = *joined;
    result.integer &= operand.integer;
  }
  if (fixed(result.axes) > kMostElements) attributes_.too_large("makes a value of more than a million elements");
  std::vector<Elements> lists;
  for (OnnxValue& operand : operands) {
    if (operand.axes == result.axes) {
      lists.push_back(std::move(operand.elements));
      continue;
    }
    Elements list;
    list.reserve(static_cast<std::size_t>(fixed(result.axes)));
    for (const std::int64_t at : spread(operand.axes, result.axes))
      list.push_back(operand.elements[static_cast<std::size_t>(at)]);
    lists.push_back(std::move(list));
  }
  result.elements = scope_.text.each(lists, function);
  return result;
}

OnnxValue Glue::unary() {
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
  if (node_.inputs.size() != 1) attributes_.invalid("takes one input, not " + std::to_string(node_.inputs.size()));
  const auto attribute = [&](const char* name, float standard) {
    return ir::number_text(attributes_.real(name).value_or(standard));
  };
  const OnnxValue x = value(0);
  const auto of = [&](const std::string& before, const std::string& after) {
    return each({x}, [&](const std::vector<std::string>& v) { return before + v[0] + after; });
  };
  if (is("Elu")) return of("elu(", ", " + attribute("alpha", 1) + ")");
  if (is("ThresholdedRelu")) return of("thresholded_relu(", ", " + attribute("alpha", 1) + ")");
  if (is("LeakyRelu")) return of("leaky_relu(", ", " + attribute("alpha", 0.01f) + ")");
  if (is("HardSigmoid")) {
    const std::string alpha = attribute("alpha", 0.2f), beta = attribute("beta", 0.5f);
    return of("hard_sigmoid(", ", " + alpha + ", " + beta + ")");
  }
  if (is("Sign"))  // a NaN stays one
    return each({x}, [](const std::vector<std::string>& v) {
      return "select(" + v[0] + " > 0, 1, select(" + v[0] + " < 0, -1, " + v[0] + "))";
    });
  if (is("Reciprocal")) return of("1 / ", "");
  if (is("Selu")) {
    const bool first = scope_.opset < 6;  // its defaults have four digits
    const std::string alpha = attribute("alpha", first ? 1.6732f : 1.67326319217681884765625f);
    return of(attribute("gamma", first ? 1.0507f : 1.05070102214813232421875f) + " * elu(", ", " + alpha + ")");
  }
  if (is("Celu")) {
    const float alpha = attributes_.real("alpha").value_or(1);
    if (!(alpha > 0)) attributes_.unsupported("alpha is not above 0");
    const std::string text = ir::number_text(alpha);
    return of(text + " * elu(", " / " + text + ", 1)");
  }
  const auto twice = [&](const std::string& inner, const std::string& outer) {
    const OnnxValue part = each({x}, [&](const std::vector<std::string>& v) { return inner + v[0] + ")"; });
    return each({x, part}, [&](const std::vector<std::string>& v) { return v[0] + " * " + outer + v[1] + ")"; });
  };
  if (is("HardSwish")) {
    const std::string sixth = ir::number_text(1.0f / 6);
    const OnnxValue gate =
        each({x}, [&](const std::vector<std::string>& v) { return "hard_sigmoid(" + v[0] + ", " + sixth + ", 0.5)"; });
    return each({x, gate}, [](const std::vector<std::string>& v) { return v[0] + " * " + v[1]; });
  }
  if (is("Mish")) return twice("softplus(", "tanh(");
  if (is("Swish")) {
    if (attributes_.real("alpha").value_or(1) != 1) attributes_.unsupported("alpha is not 1");
    return of("silu(", ")");
  }
  if (is("Gelu")) {
    const std::string approximate = attributes_.text("approximate").value_or("none");
    if (approximate == "none") return of("gelu(", ")");
    if (approximate != "tanh") attributes_.unsupported("approximate is neither none nor tanh");
    return each({x}, [](const std::vector<std::string>& v) {
      return "0.5 * " + v[0] + " * (1 + tanh(0.7978845608 * (" + v[0] + " + 0.044715 * " + v[0] + " * " + v[0] + " * " +
             v[0] + ")))";
    });
  }
  const std::string name = plain.at(node_.op);
  return name == "-" ? of("-", "") : of(name + "(", ")");
}

OnnxValue Glue::binary() {
  static const std::map<std::string, std::string> signs = {
      {"Add", " + "}, {"Sub", " - "}, {"Mul", " * "}, {"Div", " / "}};
  const std::string sign = signs.at(node_.op);
  if (node_.inputs.size() != 2) attributes_.invalid("takes two inputs, not " + std::to_string(node_.inputs.size()));
  static_cast<void>(attributes_.integer("broadcast"));  // opset 1 to 6, which broadcast to other axes by this one:
  if (attributes_.integer("axis")) attributes_.unsupported("broadcasts along an axis; export for opset 7 or newer");
  const OnnxValue a = operand(0), b = operand(1);
  if (is("Div") && a.integer && b.integer) attributes_.unsupported("divides whole numbers");
  return each({a, b}, [&](const std::vector<std::string>& v) { return v[0] + sign + v[1]; });
}

OnnxValue Glue::variadic() {
  if (node_.inputs.empty()) attributes_.invalid("takes at least one input");
  OnnxValue result = operand(0);
  for (std::size_t i = 1; i < node_.inputs.size(); ++i)
    result = each({result, operand(i)}, [&](const std::vector<std::string>& v) {
      if (is("Min")) return "min(" + v[0] + ", " + v[1] + ")";
      if (is("Max")) return "max(" + v[0] + ", " + v[1] + ")";
      return v[0] + " + " + v[1];
    });
  if (is("Mean") && node_.inputs.size() > 1) {
    const std::string count = std::to_string(node_.inputs.size());
    result = each({result}, [&](const std::vector<std::string>& v) { return v[0] + " / " + count; });
  }
  return result;
}

OnnxValue Glue::power() {
  const OnnxValue x = value(0);
  const OnnxValue exponent = operand(1);
  for (const Element& e : exponent.elements)
    if (!e.is_constant() || e != exponent.elements[0])
      attributes_.unsupported("raises to a power that is not one constant");
  const float power = exponent.elements[0].constant();
  const auto of = [&](const std::function<std::string(const std::string&)>& text) {
    return each({x}, [&](const std::vector<std::string>& v) { return text(v[0]); });
  };
  if (power == 1) return x;
  if (power == 2) return of([](const std::string& v) { return v + " * " + v; });
  if (power == 3) return of([](const std::string& v) { return v + " * " + v + " * " + v; });
  if (power == 4) {
    const OnnxValue square = of([](const std::string& v) { return v + " * " + v; });
    return each({square}, [](const std::vector<std::string>& v) { return v[0] + " * " + v[0]; });
  }
  if (power == 0.5f) return of([](const std::string& v) { return "sqrt(" + v + ")"; });
  if (power == -0.5f) return of([](const std::string& v) { return "rsqrt(" + v + ")"; });
  if (power == -1) return of([](const std::string& v) { return "1 / " + v; });
  attributes_.unsupported("raises to another power than 1, 2, 3, 4, 0.5, -0.5 and -1");
}

OnnxValue Glue::clip() {
  std::optional<float> low = attributes_.real("min"), high = attributes_.real("max");
  if (const TensorView* tensor = optional_constant(1)) low = tensor->to_f32().at(0);
  if (const TensorView* tensor = optional_constant(2)) high = tensor->to_f32().at(0);
  OnnxValue x = value(0);
  if (low) x = each({x}, [&](const std::vector<std::string>& v) { return "max(" + v[0] + ", " + number(*low) + ")"; });
  if (high)
    x = each({x}, [&](const std::vector<std::string>& v) { return "min(" + v[0] + ", " + number(*high) + ")"; });
  return x;
}

// Numbers of every float type are f32 here.
OnnxValue Glue::cast() {
  static_cast<void>(attributes_.integer("saturate"));  // of casts to 8 bits
  OnnxValue x = value(0);
  const auto to = attributes_.integer("to").value_or(0);
  const bool real = to == 1 || to == 10 || to == 11 || to == 16, whole = to == 6 || to == 7;
  if (!real && !(whole && x.integer))
    attributes_.unsupported("casts to other than f32; numbers of tokens may be integers");
  x.integer = whole;
  x.wraps = false;
  return x;
}

OnnxValue Glue::prelu() {
  if (scope_.opset < 7 && operand(1).elements.size() > 1)
    attributes_.unsupported("has several slopes, which before opset 7 are of dimension 1; export for opset 7 or newer");
  return each({value(0), operand(1)}, [](const std::vector<std::string>& v) {
    return "select(" + v[0] + " < 0, " + v[1] + " * " + v[0] + ", " + v[0] + ")";
  });
}

// Before opset 7, BatchNormalization and Dropout train unless is_test is set.
void Glue::check_is_test() {
  if (attributes_.integer("is_test").value_or(scope_.opset < 7 ? 0 : 1) == 0)
    attributes_.unsupported("is_test is 0, with which it trains; export the model for inference, or set is_test to 1");
}

// The statistics are constants: a factor and a summand for each channel.
OnnxValue Glue::batch_norm() {
  const OnnxValue& x = value(0);
  const double epsilon = attributes_.real("epsilon").value_or(1e-5f);
  static_cast<void>(attributes_.real("momentum"));  // of training
  if (attributes_.integer("training_mode").value_or(0) != 0) attributes_.unsupported("training_mode is set");
  if (attributes_.integer("spatial").value_or(1) != 1)
    attributes_.unsupported(
        "spatial is 0: it normalises each feature by numbers of its own; write Mul and Add instead");
  check_is_test();
  // Until opset 13 the outputs behind the first tell that it trains.
  for (std::size_t i = 1; i < node_.outputs.size(); ++i)
    if (!node_.outputs[i].empty())
      attributes_.unsupported(
          "has outputs of training, with which it takes the statistics of the batch; export the "
          "model for inference");
  if (x.axes.size() < 2 || !x.axes[1].is_number())
    attributes_.unsupported("its channels are a dimension of " + to_string(x.axes) + " that has no fixed size");
  const std::int64_t channels = x.axes[1].fixed();
  const auto scale = floats(1, channels, 1), bias = floats(2, channels, 0), mean = floats(3, channels, 0),
             variance = floats(4, channels, 1);
  OnnxValue factor, summand;
  factor.axes = Axes(x.axes.size() - 1);
  factor.axes[0] = x.axes[1];
  summand.axes = factor.axes;
  for (std::size_t c = 0; c < scale.size(); ++c) {
    const double f = scale[c] / std::sqrt(variance[c] + epsilon);
    factor.elements.push_back(Element::of(static_cast<float>(f)));
    summand.elements.push_back(Element::of(static_cast<float>(bias[c] - mean[c] * f)));
  }
  return each({x, factor, summand},
              [](const std::vector<std::string>& v) { return v[0] + " * " + v[1] + " + " + v[2]; });
}

}  // namespace rnnc::files
