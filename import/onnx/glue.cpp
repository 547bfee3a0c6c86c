#include "import/onnx/glue.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "import/file_error.hpp"

namespace rnnc::files {
namespace {

constexpr std::int64_t kMostConstants = std::int64_t{1} << 20;  // elements of a constant beside values

bool is_narrow(ElementType type) {
  return !is_real(type) && type != ElementType::I64 && type != ElementType::I32 && type != ElementType::Bool;
}

}  // namespace

const OnnxValue& Glue::raw(std::size_t input) {
  const auto found = scope_.values.find(node_.input(input));
  if (found == scope_.values.end())
    if (const TensorView* tensor = scope_.constants.find(node_.input(input)))
      return constants_.emplace_back(constant_value(*tensor));
  if (found == scope_.values.end())
    attributes_.unsupported("its input " + std::to_string(input) + " must depend on the model's input");
  return found->second;
}

const OnnxValue& Glue::value(std::size_t input) {
  const OnnxValue& found = raw(input);
  if (found.zeros_before != 0 || found.zeros_after != 0)
    attributes_.unsupported("takes a sequence with steps put around it; only a convolution can take that");
  return found;
}

OnnxValue Glue::constant_value(const TensorView& tensor) {
  OnnxValue result;
  if (tensor.elements() > kMostConstants)
    attributes_.unsupported("a constant of shape " + to_string(tensor.shape) + " beside values is too large");
  for (const std::int64_t dim : tensor.shape) {
    if (dim == 0) attributes_.unsupported("takes a constant without elements");
    result.axes.push_back(Axis::of(dim));
  }
  result.integer = !is_real(tensor.type);
  result.wraps = is_narrow(tensor.type);
  if (tensor.type == ElementType::I64 || tensor.type == ElementType::I32) {
    const auto numbers = OnnxConstants::integers_of(tensor);
    for (const std::int64_t number : numbers) {
      const auto rounded = static_cast<float>(number);
      if (static_cast<double>(rounded) != static_cast<double>(number) && std::abs(number) < (std::int64_t{1} << 53))
        attributes_.unsupported("takes the whole number " + std::to_string(number) + ", which f32 does not have");
      result.elements.push_back(Element::of(rounded));
    }
    return result;
  }
  for (const float number : tensor.to_f32()) result.elements.push_back(Element::of(number));
  return result;
}

OnnxValue Glue::operand(std::size_t input) {
  if (depends(input) || scope_.constants.find(node_.input(input)) != nullptr) return value(input);
  attributes_.unsupported("its input " + std::to_string(input) + " (" + in_quotes(node_.input(input)) +
                          ") is neither a constant nor a value that depends on the model's input");
}

const TensorView& Glue::constant(std::size_t input) {
  const TensorView* found = scope_.constants.find(node_.input(input));
  if (found == nullptr) attributes_.unsupported("its input " + std::to_string(input) + " must be a constant");
  if (!is_real(found->type)) attributes_.unsupported("its input " + std::to_string(input) + " must be of floats");
  if (found->elements() == 0) attributes_.unsupported("its input " + std::to_string(input) + " has no elements");
  return *found;
}

const TensorView* Glue::optional_constant(std::size_t input) {
  return node_.input(input).empty() ? nullptr : &constant(input);
}

// Returns a constant of `count` numbers, or of one that is meant for all; `standard` where there is none.
std::vector<float> Glue::floats(std::size_t input, std::int64_t count, float standard) {
  std::vector<float> values(static_cast<std::size_t>(count), standard);
  if (const TensorView* tensor = optional_constant(input)) {
    if (tensor->elements() != count && tensor->elements() != 1)
      attributes_.invalid("shape mismatch: its input " + std::to_string(input) + " has " +
                          std::to_string(tensor->elements()) + " numbers, not " + std::to_string(count));
    values = tensor->to_f32();
    values.resize(static_cast<std::size_t>(count), values.empty() ? standard : values[0]);
  }
  return values;
}

// Returns whole numbers that are an attribute in old opsets and an input in new ones.
std::optional<std::vector<std::int64_t>> Glue::list(const char* attribute, std::size_t input) {
  if (auto values = attributes_.integers(attribute)) return values;
  if (node_.input(input).empty()) return std::nullopt;
  const auto counts = scope_.counts.find(node_.input(input));
  if (!counts) attributes_.unsupported(std::string(attribute) + " must be constants");
  std::vector<std::int64_t> values;
  for (const Count& count : counts->numbers) {
    const auto number = count.number();
    if (!number)
      attributes_.unsupported(std::string(attribute) + " depend on the length of the sequences or the batch");
    values.push_back(*number);
  }
  return values;
}

// Values are floats here, which do not wrap round as narrow integers do. So these are only moved, compared and cast.
void Glue::follow_wrapping(std::vector<OnnxValue>& results) {
  static const std::set<std::string> give_others = {"Cast",           "Greater",     "Less", "ArgMax",
                                                    "GreaterOrEqual", "LessOrEqual", "Equal"};
  static const std::set<std::string> keep = {"Min",           "Max",       "Where",           "Transpose", "Squeeze",
                                             "Unsqueeze",     "Reshape",   "Flatten",         "Concat",    "Slice",
                                             "Gather",        "Tile",      "Expand",          "ScatterND", "Pad",
                                             "Split",         "ReduceMax", "ReverseSequence", "ReduceMin", "MaxPool",
                                             "GlobalMaxPool", "Identity",  "Dropout"};
  bool wraps = false;
  for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
    const TensorView* tensor = depends(i) ? nullptr : scope_.constants.find(node_.input(i));
    wraps |= depends(i) ? raw(i).wraps : tensor != nullptr && is_narrow(tensor->type);
  }
  if (!wraps || give_others.contains(node_.op)) return;
  for (OnnxValue& result : results) {
    if (result.integer && !keep.contains(node_.op))
      attributes_.unsupported(
          "computes with integers that are narrow or have no sign, which wrap round; put a Cast to int64 or to float "
          "before it");
    result.wraps = result.integer;
  }
}

std::vector<OnnxValue> Glue::evaluate() {
  using Member = OnnxValue (Glue::*)();
  static const std::map<std::string, Member> operators = {{"Add", &Glue::binary},
                                                          {"Sub", &Glue::binary},
                                                          {"Mul", &Glue::binary},
                                                          {"Div", &Glue::binary},
                                                          {"Sum", &Glue::variadic},
                                                          {"Mean", &Glue::variadic},
                                                          {"Min", &Glue::variadic},
                                                          {"Max", &Glue::variadic},
                                                          {"Pow", &Glue::power},
                                                          {"Clip", &Glue::clip},
                                                          {"Cast", &Glue::cast},
                                                          {"PRelu", &Glue::prelu},
                                                          {"Greater", &Glue::compare},
                                                          {"Less", &Glue::compare},
                                                          {"GreaterOrEqual", &Glue::compare},
                                                          {"LessOrEqual", &Glue::compare},
                                                          {"Equal", &Glue::compare},
                                                          {"Where", &Glue::where},
                                                          {"Not", &Glue::logic},
                                                          {"And", &Glue::logic},
                                                          {"Or", &Glue::logic},
                                                          {"Xor", &Glue::logic},
                                                          {"BatchNormalization", &Glue::batch_norm},
                                                          {"MatMul", &Glue::matmul},
                                                          {"Gemm", &Glue::gemm},
                                                          {"Einsum", &Glue::einsum},
                                                          {"Conv", &Glue::conv},
                                                          {"ConvTranspose", &Glue::conv_transpose},
                                                          {"MaxPool", &Glue::pool},
                                                          {"AveragePool", &Glue::pool},
                                                          {"GlobalAveragePool", &Glue::pool},
                                                          {"GlobalMaxPool", &Glue::pool},
                                                          {"Transpose", &Glue::transpose},
                                                          {"Squeeze", &Glue::squeeze},
                                                          {"Unsqueeze", &Glue::unsqueeze},
                                                          {"Reshape", &Glue::reshape},
                                                          {"Flatten", &Glue::flatten},
                                                          {"Concat", &Glue::concat},
                                                          {"Slice", &Glue::slice},
                                                          {"Gather", &Glue::gather},
                                                          {"Expand", &Glue::expand},
                                                          {"GatherElements", &Glue::gather_elements},
                                                          {"GatherND", &Glue::gather_nd},
                                                          {"DepthToSpace", &Glue::depth_and_space},
                                                          {"SpaceToDepth", &Glue::depth_and_space},
                                                          {"ScatterND", &Glue::scatter},
                                                          {"Tile", &Glue::tile},
                                                          {"ConstantOfShape", &Glue::filled},
                                                          {"Pad", &Glue::pad},
                                                          {"ReverseSequence", &Glue::reverse_sequence},
                                                          {"Identity", &Glue::identity},
                                                          {"Dropout", &Glue::identity},
                                                          {"ArgMax", &Glue::arg_max},
                                                          {"Softmax", &Glue::softmax},
                                                          {"LogSoftmax", &Glue::softmax},
                                                          {"LayerNormalization", &Glue::layer_norm},
                                                          {"InstanceNormalization", &Glue::layer_norm},
                                                          {"GroupNormalization", &Glue::layer_norm},
                                                          {"ReduceMean", &Glue::reduce},
                                                          {"ReduceMax", &Glue::reduce},
                                                          {"ReduceMin", &Glue::reduce},
                                                          {"ReduceSum", &Glue::reduce},
                                                          {"ReduceL2", &Glue::reduce},
                                                          {"ReduceSumSquare", &Glue::reduce}};
  static const std::set<std::string> unary_operators = {
      "Relu", "Tanh",  "Sigmoid",   "Softsign",    "Softplus",        "Abs",        "Exp",       "Log",  "Sqrt", "Erf",
      "Neg",  "Elu",   "LeakyRelu", "HardSigmoid", "ThresholdedRelu", "Reciprocal", "HardSwish", "Gelu", "Selu", "Celu",
      "Mish", "Swish", "Sign"};
  std::vector<OnnxValue> results;
  if (node_.domain.empty() && node_.op == "Split") {
    results = split();
  } else {
    const auto found = operators.find(node_.op);
    const bool is_unary = unary_operators.contains(node_.op);
    if ((found == operators.end() && !is_unary) || !node_.domain.empty()) {
      scope_.met_unknown_operator = true;
      attributes_.unsupported("operator " + in_quotes((node_.domain.empty() ? "" : node_.domain + ".") + node_.op) +
                              " cannot be imported");
    }
    results.push_back((this->*(is_unary ? &Glue::unary : found->second))());
  }
  for (std::size_t i = results.size(); i < node_.outputs.size(); ++i)
    if (!node_.outputs[i].empty() && !is("Dropout"))
      attributes_.unsupported("has " + std::to_string(node_.outputs.size()) + " outputs, not one");
  attributes_.finish();
  follow_wrapping(results);
  for (const OnnxValue& result : results) {
    for (const char symbol : {'T', 'B'}) {
      std::size_t count = 0;
      for (const Axis& one : result.axes)
        count += static_cast<std::size_t>(std::ranges::count(one.atoms, symbol, &Atom::symbol));
      if (count > 1)
        attributes_.unsupported("gives " + to_string(result.axes) +
                                ", which relates each step or sequence with every other");
    }
  }
  return results;
}

std::vector<OnnxValue> evaluate_glue(const OnnxNode& node, OnnxScope& scope) { return Glue(node, scope).evaluate(); }

}  // namespace rnnc::files
