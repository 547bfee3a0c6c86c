// Nodes that compute with integers become nodes of floats, and those are read as if the graph had them. Weights become
// the floats that their integers stand for, so that --weights-as w8 finds the integers again. Activations are not
// rounded: a network has no operator that rounds. What stays of a QuantizeLinear is that it clips.
#include <algorithm>
#include <cmath>

#include "import/file_error.hpp"
#include "import/onnx/quantized.hpp"
#include "import/onnx/reader.hpp"
#include "import/scaled_integers.hpp"

namespace rnnc::files {
namespace {

TensorView floats_of(const Shape& shape, const std::vector<double>& values) {
  return TensorView::own(shape, std::vector<float>(values.begin(), values.end()));
}

// Returns the shape of numbers along one dim that stand beside a value of `rank` dims.
Shape beside(std::size_t count, std::size_t axis, std::size_t rank) {
  if (count == 1) return {};
  Shape shape(rank - axis, 1);
  shape[0] = static_cast<std::int64_t>(count);
  return shape;
}

bool same_numbers(const TensorView* a, const TensorView* b) {
  return (a == nullptr ? std::vector<double>{0} : doubles_of(*a)) ==
         (b == nullptr ? std::vector<double>{0} : doubles_of(*b));
}

}  // namespace

// The nodes of floats that one node becomes.
class GraphReader::FloatNodes {
 public:
  FloatNodes(GraphReader& reader, const OnnxNode& node)
      : reader_(reader), constants_(reader.constants_), node_(node), attributes_(node, reader.file_) {}
  FloatNodes(const FloatNodes&) = delete;
  FloatNodes& operator=(const FloatNodes&) = delete;
  ~FloatNodes() {
    for (const std::string& name : temporary_) reader_.forget(name);
  }

  // Returns false if the node does not compute with integers.
  bool read();
  // Writes what a QuantizeLinear gives: its integers, without the rounding.
  void write_integers(const OnnxValue& value);

 private:
  std::string full_name() const { return (node_.domain.empty() ? "" : node_.domain + ".") + node_.op; }
  std::string compute(const std::string& op, std::vector<std::string> inputs, std::string output = "",
                      std::map<std::string, OnnxAttribute> attributes = {});
  std::string constant(const char* what, TensorView tensor);
  std::string clipped(std::string value, const std::vector<double>& least, const std::vector<double>& most,
                      const Shape& shape, const std::string& output);
  std::string floats(std::size_t data, std::size_t scale, std::size_t zero_point, std::int64_t axis_from_end);
  std::string unshifted(std::size_t data, std::size_t zero_point, std::int64_t axis_from_end);
  std::size_t rank_of(const std::string& name) const;
  Quantization scales_of_node();
  bool undoes(const Quantization& by, const OnnxNode& quantize) const;

  void dynamic_quantize();
  void quantize();
  void dequantize();
  bool gather();
  void matmul_integer();
  void conv_integer();
  void dynamic_quantize_matmul();
  void matmul_integer_to_float();
  void qlinear_matmul();
  void qlinear_conv();

  GraphReader& reader_;
  OnnxConstants& constants_;
  const OnnxNode& node_;
  OnnxAttributes attributes_;
  std::vector<std::string> temporary_;
};

// Reads a node as if it stood in the graph here, and returns the name of its output.
std::string GraphReader::FloatNodes::compute(const std::string& op, std::vector<std::string> inputs, std::string output,
                                             std::map<std::string, OnnxAttribute> attributes) {
  if (output.empty()) {
    output = node_.output(0) + "/" + op + std::to_string(temporary_.size());
    temporary_.push_back(output);
  }
  OnnxNode node{node_.name, op, "", std::move(inputs), {output}, std::move(attributes)};
  if (node.name.empty()) node.name = node_.output(0);
  reader_.read_node(node, true);
  return output;
}

std::string GraphReader::FloatNodes::constant(const char* what, TensorView tensor) {
  const std::string name = node_.output(0) + "/" + what;
  constants_.put(name, std::move(tensor));
  return name;
}

std::string GraphReader::FloatNodes::clipped(std::string value, const std::vector<double>& least,
                                             const std::vector<double>& most, const Shape& shape,
                                             const std::string& output) {
  value = compute("Max", {value, constant("least", floats_of(shape, least))});
  return compute("Min", {value, constant("most", floats_of(shape, most))}, output);
}

std::size_t GraphReader::FloatNodes::rank_of(const std::string& name) const {
  if (const TensorView* tensor = constants_.find(name)) return tensor->shape.size();
  const auto unrounded = reader_.unrounded_.find(name);
  if (unrounded != reader_.unrounded_.end()) return unrounded->second.value.axes.size();
  const OnnxValue* value = reader_.find(name);
  if (value == nullptr) attributes_.unsupported("its input " + in_quotes(name) + " must depend on the model's input");
  return value->axes.size();
}

// Returns the name of the floats that an input stands for; `axis_from_end` -1 is its last dim.
std::string GraphReader::FloatNodes::floats(std::size_t data, std::size_t scale, std::size_t zero_point,
                                            std::int64_t axis_from_end) {
  std::vector<std::string> inputs = {node_.input(data), node_.input(scale)};
  if (!node_.input(zero_point).empty()) inputs.push_back(node_.input(zero_point));
  OnnxAttribute axis;
  axis.type = 2;
  axis.i = std::max<std::int64_t>(0, static_cast<std::int64_t>(rank_of(inputs[0])) + axis_from_end);
  return compute("DequantizeLinear", inputs, "", {{"axis", axis}});
}

// Returns the name of an input less its zero point. The scales stand in nodes behind.
std::string GraphReader::FloatNodes::unshifted(std::size_t data, std::size_t zero_point, std::int64_t axis_from_end) {
  const std::string &name = node_.input(data), &zero = node_.input(zero_point);
  const TensorView* zeros = constants_.find(zero);
  if (zeros == nullptr && !zero.empty()) attributes_.unsupported("its zero points must be constants");
  if (const TensorView* integers = constants_.find(name)) {
    const std::int64_t axis = static_cast<std::int64_t>(integers->shape.size()) + axis_from_end;
    const std::string result = name + "/less " + zero;
    constants_.put(result, without_zero_point(attributes_, *integers, zeros, std::max<std::int64_t>(axis, 0)));
    return result;
  }
  static_cast<void>(rank_of(name));
  if (zeros == nullptr || std::ranges::all_of(doubles_of(*zeros), [](double z) { return z == 0; })) return name;
  if (zeros->elements() != 1) attributes_.unsupported("has a zero point for each row of a value");
  return compute("Sub", {name, constant("zero", floats_of({}, doubles_of(*zeros)))});
}

// Scales and zero points of a QuantizeLinear or DequantizeLinear.
Quantization GraphReader::FloatNodes::scales_of_node() {
  const std::optional<Quantization> by = quantization_of(attributes_, constants_);
  if (!by) attributes_.unsupported("its scale and zero point must be constants");
  if (by->block_size != 0) attributes_.unsupported("has scales of blocks, which only constants may have");
  return *by;
}

// The integers of x are x here, in steps of 1: the product with the weights is scaled by nodes behind.
void GraphReader::FloatNodes::dynamic_quantize() {
  if (node_.inputs.size() != 1) attributes_.invalid("has the wrong number of inputs");
  attributes_.finish();
  if (!node_.output(1).empty()) constants_.put(node_.output(1), floats_of({}, {1}));
  if (!node_.output(2).empty()) constants_.put(node_.output(2), TensorView::own(ElementType::U8, {}, {std::byte{0}}));
  compute("Identity", {node_.input(0)}, node_.output(0));
}

// Most often a DequantizeLinear of the same scale follows at once, so that nothing has to be written but the clipping.
void GraphReader::FloatNodes::quantize() {
  const Quantization by = scales_of_node();
  static_cast<void>(range_of(attributes_, by.zero_point));
  const std::vector<double> scales = scales_of(attributes_, *by.scale);
  if (std::ranges::find(scales, 0.0) != scales.end())
    attributes_.invalid("divides by a scale of 0: quantise the model again");
  attributes_.finish();
  const OnnxValue* value = reader_.find(node_.input(0));
  if (value == nullptr) attributes_.unsupported("its input 0 must depend on the model's input");
  reader_.unrounded_[node_.output(0)] = {node_, *value};
}

void GraphReader::FloatNodes::write_integers(const OnnxValue& value) {
  const Quantization by = scales_of_node();
  const IntegerRange range = range_of(attributes_, by.zero_point);
  const std::vector<double> scales = scales_of(attributes_, *by.scale);
  const std::vector<double> zeros = zero_points_of(attributes_, by.zero_point, scales.size());
  const std::size_t rank = value.axes.size();
  const Shape shape = beside(scales.size(), scales.size() == 1 ? 0 : onnx_axis(attributes_, by.axis, rank), rank);
  const std::string of = node_.output(0) + "/of";
  reader_.keep(of, value);
  temporary_.push_back(of);
  std::string result = compute("Div", {of, constant("scale", floats_of(shape, scales))});
  result = compute("Add", {result, constant("zero", floats_of(shape, zeros))});
  clipped(result, {range.least}, {range.most}, {}, node_.output(0));
}

// A QuantizeLinear of the same scale in front leaves only its clipping of both.
void GraphReader::FloatNodes::dequantize() {
  const Quantization by = scales_of_node();
  attributes_.finish();
  const std::vector<double> scales = scales_of(attributes_, *by.scale);
  const std::vector<double> zeros = zero_points_of(attributes_, by.zero_point, scales.size());
  const std::size_t rank = rank_of(node_.input(0));
  const Shape shape = beside(scales.size(), scales.size() == 1 ? 0 : onnx_axis(attributes_, by.axis, rank), rank);
  const auto found = reader_.unrounded_.find(node_.input(0));
  if (found == reader_.unrounded_.end() || !undoes(by, found->second.node)) {
    std::string value = node_.input(0);
    if (std::ranges::any_of(zeros, [](double z) { return z != 0; }))
      value = compute("Sub", {value, constant("zero", floats_of(shape, zeros))});
    compute("Mul", {value, constant("scale", floats_of(shape, scales))}, node_.output(0));
    return;
  }
  OnnxAttributes of_integers(found->second.node, reader_.file_);
  const IntegerRange range = range_of(of_integers, by.zero_point);
  std::vector<double> least, most;
  for (std::size_t k = 0; k < scales.size(); ++k) {
    const double one = (range.least - zeros[k]) * scales[k], other = (range.most - zeros[k]) * scales[k];
    least.push_back(std::min(one, other));
    most.push_back(std::max(one, other));
  }
  const std::string of = node_.output(0) + "/of";
  reader_.keep(of, found->second.value);
  temporary_.push_back(of);
  clipped(of, least, most, shape, node_.output(0));
}

// Tells whether a DequantizeLinear gives back what a QuantizeLinear took.
bool GraphReader::FloatNodes::undoes(const Quantization& by, const OnnxNode& quantize) const {
  OnnxAttributes attributes(quantize, reader_.file_);
  const std::optional<Quantization> other = quantization_of(attributes, constants_);
  return other && (by.scale->elements() == 1 || by.axis == other->axis) && same_numbers(by.scale, other->scale) &&
         same_numbers(by.zero_point, other->zero_point);
}

void GraphReader::FloatNodes::matmul_integer() {
  attributes_.finish();
  const std::string a = unshifted(0, 2, -2), b = unshifted(1, 3, -1);
  compute("MatMul", {a, b}, node_.output(0));
}

void GraphReader::FloatNodes::conv_integer() {
  const auto rank = static_cast<std::int64_t>(rank_of(node_.input(1)));
  const std::string x = unshifted(0, 2, -1), W = unshifted(1, 3, -rank);
  compute("Conv", {x, W}, node_.output(0), node_.attributes);
}

void GraphReader::FloatNodes::dynamic_quantize_matmul() {
  attributes_.finish();
  const bool biased = !node_.input(4).empty();
  const std::string W = floats(1, 2, 3, -1);
  const std::string product = compute("MatMul", {node_.input(0), W}, biased ? "" : node_.output(0));
  if (biased) compute("Add", {product, node_.input(4)}, node_.output(0));
}

void GraphReader::FloatNodes::matmul_integer_to_float() {
  attributes_.finish();
  const bool biased = !node_.input(6).empty();
  const std::string a = floats(0, 2, 4, -2), b = floats(1, 3, 5, -1);
  const std::string product = compute("MatMul", {a, b}, biased ? "" : node_.output(0));
  if (biased) compute("Add", {product, node_.input(6)}, node_.output(0));
}

void GraphReader::FloatNodes::qlinear_matmul() {
  attributes_.finish();
  const std::string a = floats(0, 1, 2, -2), b = floats(3, 4, 5, -1);
  compute("QuantizeLinear", {compute("MatMul", {a, b}), node_.input(6), node_.input(7)}, node_.output(0));
}

void GraphReader::FloatNodes::qlinear_conv() {
  const auto rank = static_cast<std::int64_t>(rank_of(node_.input(3)));
  std::vector<std::string> inputs = {floats(0, 1, 2, -1), floats(3, 4, 5, -rank)};
  if (!node_.input(8).empty()) {
    const std::string scale = compute("Mul", {node_.input(1), node_.input(4)});
    OnnxAttribute axis;
    axis.type = 2;
    inputs.push_back(compute("DequantizeLinear", {node_.input(8), scale}, "", {{"axis", axis}}));
  }
  const std::string product = compute("Conv", inputs, "", node_.attributes);
  compute("QuantizeLinear", {product, node_.input(6), node_.input(7)}, node_.output(0));
}

// Rows of a table of integers, whose scale stands in a node behind. Other Gather nodes are none of ours.
bool GraphReader::FloatNodes::gather() {
  const TensorView* table = constants_.find(node_.input(0));
  if (table == nullptr || !is_small_integer(table->type) || size_bytes(table->type) > sizeof(std::int16_t))
    return false;
  compute("Gather", {unshifted(0, node_.inputs.size(), -1), node_.input(1)}, node_.output(0), node_.attributes);
  return true;
}

bool GraphReader::FloatNodes::read() {
  if (full_name() == "Gather") return gather();
  static const std::map<std::string, void (FloatNodes::*)()> operators = {
      {"DynamicQuantizeLinear", &FloatNodes::dynamic_quantize},
      {"QuantizeLinear", &FloatNodes::quantize},
      {"com.microsoft.QuantizeLinear", &FloatNodes::quantize},
      {"DequantizeLinear", &FloatNodes::dequantize},
      {"com.microsoft.DequantizeLinear", &FloatNodes::dequantize},
      {"MatMulInteger", &FloatNodes::matmul_integer},
      {"ConvInteger", &FloatNodes::conv_integer},
      {"com.microsoft.DynamicQuantizeMatMul", &FloatNodes::dynamic_quantize_matmul},
      {"com.microsoft.MatMulIntegerToFloat", &FloatNodes::matmul_integer_to_float},
      {"QLinearMatMul", &FloatNodes::qlinear_matmul},
      {"QLinearConv", &FloatNodes::qlinear_conv}};
  const auto found = operators.find(full_name());
  if (found == operators.end()) {
    if (node_.domain == "com.microsoft" && (node_.op.starts_with("QLinear") || node_.op == "QGemm"))
      attributes_.unsupported("operator " + in_quotes(full_name()) +
                              " computes with integers of 8 bits and cannot be imported; quantise the model with "
                              "quant_format=QuantFormat.QDQ, or import it from before it was quantised");
    return false;
  }
  if (node_.op != "DequantizeLinear") reader_.leave_rounding_out(node_);
  if (node_.outputs.empty() || node_.outputs[0].empty()) attributes_.invalid("has no output");
  (this->*found->second)();
  return true;
}

void GraphReader::leave_rounding_out(const OnnxNode& node) {
  result_.leaves_unrounded = true;
  if (options_.like != OnnxLike::OnnxRuntime) return;
  unsupported(node,
              "computes with activations of 8 bits in ONNX Runtime, which a network cannot; leave --like out to take "
              "them as f32, or import the model from before it was quantised");
}

bool GraphReader::read_quantized(const OnnxNode& node) {
  if (!is_quantized_lstm(node)) return FloatNodes(*this, node).read();
  read_recurrent_node(with_floats(node));
  return true;
}

// Writes the integers of a QuantizeLinear, if `name` is its output and they do not stand in the text yet.
void GraphReader::write_integers(const std::string& name) {
  const auto found = unrounded_.find(name);
  if (found == unrounded_.end()) return;
  const Unrounded unrounded = std::move(found->second);
  unrounded_.erase(found);
  FloatNodes(*this, unrounded.node).write_integers(unrounded.value);
}

// An LSTM that quantize_dynamic has changed becomes one again. Its weights are [D,I,G*H] there, with one scale, one for
// each direction, or one for each direction and row of gates.
OnnxNode GraphReader::with_floats(const OnnxNode& lstm) {
  leave_rounding_out(lstm);
  const OnnxAttributes attributes(lstm, file_);
  OnnxNode result = lstm;
  result.op = "LSTM";
  result.domain.clear();
  result.inputs.resize(8);
  for (const std::size_t input : {std::size_t{1}, std::size_t{2}}) {
    const std::size_t at = input == 1 ? 8 : 10;
    const TensorView *weights = constants_.find(lstm.input(input)), *scales = constants_.find(lstm.input(at)),
                     *zeros = constants_.find(lstm.input(at + 1));
    if (scales == nullptr || weights == nullptr || weights->shape.size() != 3 || scales->shape.size() > 2 ||
        (zeros == nullptr && !lstm.input(at + 1).empty()))
      unsupported(lstm, "its weights, scales and zero points must be constants, [D,I,G*H] and [D] or [D,G*H]");
    TensorView shaped = *scales;
    const bool by_row = shaped.shape.size() == 2;
    if (by_row) shaped.shape.insert(shaped.shape.begin() + 1, 1);
    const Quantization by{&shaped, zeros, by_row ? 1 : 0, by_row ? std::max<std::int64_t>(1, weights->shape[1]) : 0};
    const std::string turned = lstm.input(input) + "/turned", real = lstm.input(input) + "/real";
    constants_.put(turned, dequantized(attributes, *weights, by));
    OnnxNode turn{lstm.name, "Transpose", "", {turned}, {real}, {}};
    turn.attributes["perm"].type = 7;
    turn.attributes["perm"].ints = {0, 2, 1};
    if (!constants_.fold(turn)) unsupported(lstm, "its weights must be constants");
    result.inputs[input] = real;
  }
  return result;
}

}  // namespace rnnc::files
