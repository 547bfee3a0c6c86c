// The recurrent operators. An LSTM of TensorFlow Lite may clip its cell state, as that of each Keras layer does (at
// 10), and may take 1 - f for i; nodes of kOwnDomain say so.
#include <algorithm>

#include "import/file_error.hpp"
#include "import/onnx/recurrent.hpp"
#include "import/tflite/graph.hpp"

namespace rnnc::files {
namespace {

// The places of the inputs of an LSTM behind its first weights.
constexpr std::size_t kRecurrent = 4, kPeepholes = 8, kBiases = 11, kProjection = 15;
constexpr std::size_t kNorms = 20;  // of all inputs: the factors of an LSTM that normalises its gates

std::vector<float> joined(std::initializer_list<const std::vector<float>*> parts) {
  std::vector<float> all;
  for (const std::vector<float>* part : parts) all.insert(all.end(), part->begin(), part->end());
  return all;
}

const char* activation_name(std::int8_t activation) {
  return activation == 4 ? "Tanh" : activation == 1 ? "Relu" : activation == 0 ? "Affine" : nullptr;
}

}  // namespace

struct TfliteWriter::Direction {
  std::string activation;
  float cell_clip = 0, output_clip = 0;
  bool time_major = false;
};

// A state begins with zeros and is one operator's own.
void TfliteWriter::take_state(std::size_t i) {
  if (!graph_.is_main()) unsupported("is within a loop, each step of which would go on from the step before");
  if (input(i) < 0) return;
  if (!tensor(i).is_variable)
    unsupported("begins with " + in_quotes(tensor(i).name) + ", which is no state of its own");
  if (!graph_.take_state(input(i)))
    unsupported("shares its state " + in_quotes(tensor(i).name) + " with another operator");
}

// Returns the numbers of an input, which must have this shape.
std::vector<float> TfliteWriter::of_shape(std::size_t i, const Shape& shape) {
  if (tensor(i).shape != shape)
    invalid("shape mismatch: " + in_quotes(tensor(i).name) + " must be " + to_string(shape) + " but is " +
            to_string(tensor(i).shape));
  return floats(i);
}

// Writes an LSTM whose weights begin at input `first`, and whose states at input `states`; the factors that normalise
// its gates begin at input `norms`, if there are any. Gates stand in the order i, f, c, o there, and i, o, f, c in
// ONNX.
std::string TfliteWriter::lstm_direction(std::size_t first, std::size_t states, std::optional<std::size_t> norms,
                                         bool reverse, const Direction& how) {
  for (std::size_t i = states; i < states + 2; ++i) take_state(i);
  const bool is_coupled = input(first) < 0;
  const TfliteTensor& forget = tensor(first + 1);
  if (forget.shape.size() != 2) invalid("its weights must be [units, inputs]");
  const std::int64_t H = forget.shape[0], I = forget.shape[1];
  const bool projects = input(first + kProjection) >= 0;
  if (projects && tensor(first + kProjection).shape.size() != 2) invalid("its projection must be [outputs, units]");
  const std::int64_t P = projects ? tensor(first + kProjection).shape[0] : H;
  const auto part = [&](std::size_t i, std::int64_t columns) {
    return of_shape(i, columns == 0 ? Shape{H} : Shape{H, columns});
  };
  const auto gates = [&](std::size_t at, std::int64_t columns) {
    const std::vector<float> f = part(at + 1, columns), c = part(at + 2, columns), o = part(at + 3, columns);
    const std::vector<float> i = is_coupled ? f : part(at, columns);  // those of i are not read then
    return joined({&i, &o, &f, &c});
  };
  std::vector<std::string> inputs = {in(0), graph_.floats({1, 4 * H, I}, gates(first, I)),
                                     graph_.floats({1, 4 * H, P}, gates(first + kRecurrent, P))};
  std::vector<float> bias = gates(first + kBiases, 0);
  bias.resize(static_cast<std::size_t>(8 * H));
  inputs.push_back(graph_.floats({1, 8 * H}, bias));
  if (input(first + kPeepholes + 1) >= 0) {
    const std::vector<float> f = part(first + kPeepholes + 1, 0), o = part(first + kPeepholes + 2, 0);
    const std::vector<float> i = is_coupled ? f : part(first + kPeepholes, 0);
    inputs.insert(inputs.end(), {"", "", "", graph_.floats({1, 3 * H}, joined({&i, &o, &f}))});
  }
  if (projects || norms) {
    inputs.resize(8);  // behind the peepholes
    inputs.push_back(projects ? graph_.floats({1, P, H}, of_shape(first + kProjection, {P, H})) : "");
    const bool adds = projects && input(first + kProjection + 1) >= 0;
    inputs.push_back(adds ? graph_.floats({1, P}, of_shape(first + kProjection + 1, {P})) : "");
    if (norms) inputs.push_back(graph_.floats({1, 4 * H}, gates(*norms, 0)));
  }
  NodeAttributes attributes;
  attributes.integer("hidden_size", H).integer("layout", how.time_major ? 0 : 1);
  attributes.texts("activations", {"Sigmoid", how.activation, how.activation});
  if (reverse) attributes.text("direction", "reverse");
  if (how.cell_clip > 0) attributes.real("cell_clip", how.cell_clip);
  if (projects && how.output_clip > 0) attributes.real("output_clip", how.output_clip);
  if (is_coupled) attributes.integer("forget_input", 1);
  const std::string y = graph_.node("LSTM", inputs, attributes, kOwnDomain);
  return graph_.node("Squeeze", {y, graph_.integers({1}, {how.time_major ? 1 : 2})});
}

bool TfliteWriter::write_lstm(bool both) {
  const char* activation = activation_name(op_.option<std::int8_t>(0, 0));
  if (activation == nullptr) unsupported("its activation is none of tanh, relu and the identity");
  // The bidirectional operator has the option merge_outputs before time_major, which is true by default there.
  const Direction how{activation, op_.option<float>(1, 0), op_.option<float>(2, 0),
                      op_.option<std::uint8_t>(both ? 4 : 3, both) != 0};
  if (!both) {
    if (op_.option<std::uint8_t>(5, 0) != 0) unsupported("has diagonals as its recurrent weights");
    // The forget gate has factors wherever any gate has.
    const std::optional<std::size_t> norms = input(kNorms + 1) >= 0 ? std::optional(kNorms) : std::nullopt;
    for (std::size_t i = kNorms; i < kNorms + 4; ++i)
      if (!norms && input(i) >= 0) invalid("normalises some of its gates, and not the forget gate");
    return finish(lstm_direction(1, 18, norms, false, how)), true;
  }
  for (std::size_t i = 39; i < 48; ++i)
    if (input(i) >= 0) unsupported("has a second input");
  const std::string forward = lstm_direction(1, 35, {}, false, how), backward = lstm_direction(18, 37, {}, true, how);
  return finish_both(forward, backward, op_.option<std::uint8_t>(3, 0) != 0), true;
}

// Gives the outputs of both directions: side by side in one, or each in its own.
void TfliteWriter::finish_both(const std::string& forward, const std::string& backward, bool merged) {
  if (merged) return finish(graph_.node("Concat", {forward, backward}, NodeAttributes().integer("axis", 2)));
  if (op_.outputs.size() != 2) invalid("has two outputs");
  graph_.set(op_.outputs[1], backward);
  finish(forward);
}

bool TfliteWriter::write_rnn(bool both) {
  const std::int8_t function = op_.option<std::int8_t>(1, 0);
  const char* activation = activation_name(function);
  if (activation == nullptr) unsupported("its activation is none of tanh, relu and the identity");
  const bool time_major = op_.option<std::uint8_t>(0, 0) != 0;
  const auto direction = [&](std::size_t first, bool reverse) {
    const Shape shape = tensor(first).shape, square = tensor(first + 1).shape;
    if (shape.size() != 2 || square != Shape{shape[0], shape[0]} || tensor(first + 2).shape != Shape{shape[0]})
      invalid("its weights must be [units, inputs], [units, units] and [units]");
    std::vector<float> bias = floats(first + 2);
    bias.resize(2 * bias.size());
    if (input(first + 3) < 0) unsupported("has no state of its own");
    take_state(first + 3);
    NodeAttributes attributes;
    attributes.integer("hidden_size", shape[0])
        .integer("layout", time_major ? 0 : 1)
        .texts("activations", {activation});
    if (reverse) attributes.text("direction", "reverse");
    const std::string y =
        graph_.node("RNN",
                    {in(0), graph_.floats({1, shape[0], shape[1]}, floats(first)),
                     graph_.floats({1, shape[0], shape[0]}, floats(first + 1)), graph_.floats({1, 2 * shape[0]}, bias)},
                    attributes, kOwnDomain);
    return graph_.node("Squeeze", {y, graph_.integers({1}, {time_major ? 1 : 2})});
  };
  if (!both) return finish(direction(1, false)), true;
  for (std::size_t i = 9; i < 12; ++i)
    if (input(i) >= 0) unsupported("has a second input");
  const std::string forward = direction(1, false), backward = direction(5, true);
  return finish_both(forward, backward, op_.option<std::uint8_t>(2, 0) != 0), true;
}

bool TfliteWriter::write_recurrent() {
  if (op_.code == TfliteOp::UnidirectionalSequenceLstm) return write_lstm(false);
  if (op_.code == TfliteOp::BidirectionalSequenceLstm) return write_lstm(true);
  if (op_.code == TfliteOp::UnidirectionalSequenceRnn) return write_rnn(false);
  return op_.code == TfliteOp::BidirectionalSequenceRnn && write_rnn(true);
}

}  // namespace rnnc::files
