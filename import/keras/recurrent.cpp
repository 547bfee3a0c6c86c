// The recurrent layers: each direction becomes a node of kOwnDomain.
#include "import/onnx/recurrent.hpp"
#include "import/file_error.hpp"
#include "import/keras/graph.hpp"

namespace rnnc::files {

// One direction of a recurrent layer, as its configuration has it.
struct KerasGraph::Direction {
  KerasLayer layer;        // with return_sequences and what else is of sequences
  KerasLayer cell;         // with units and activations: the layer itself, or its cell
  std::string op, part;    // the operator, and the part of the weights
  std::string name;        // of the node
  bool backwards = false;  // go_backwards
  bool zero_output = false;
  std::vector<std::string> initial;
};

struct KerasGraph::Scan {
  std::string y;                    // [B,T,H], in the order in which the direction goes
  std::vector<std::string> finals;  // [B,H] each
  std::int64_t hidden = 0;
};

namespace {

// The gates by their places in Keras: i f c o in ONNX's order i o f c, and z r h in its order z r h.
std::vector<std::int64_t> order_of(const std::string& op) {
  if (op == "LSTM") return {0, 3, 1, 2};
  if (op == "GRU") return {0, 1, 2};
  return {0};
}

// Returns the gates of a matrix [rows, G*H] as rows of [G*H, rows], in another order.
std::vector<float> gate_rows(const KerasWeight& from, std::int64_t hidden, const std::vector<std::int64_t>& order) {
  const std::int64_t rows = from.shape[0], columns = from.shape[1];
  std::vector<float> result;
  result.reserve(from.values.size());
  for (const std::int64_t gate : order)
    for (std::int64_t unit = gate * hidden; unit < (gate + 1) * hidden; ++unit)
      for (std::int64_t row = 0; row < rows; ++row)
        result.push_back(from.values[static_cast<std::size_t>(row * columns + unit)]);
  return result;
}

bool returns_sequences(const KerasLayer& layer) { return keras_flag(layer.config, "return_sequences", false); }

}  // namespace

KerasGraph::Direction KerasGraph::direction_of(const KerasLayer& layer) const {
  Direction how{layer, layer, "", "", layer.name, false, false, {}};
  std::string kind = layer.kind;
  if (kind == "RNN") {
    check_keras_keys(
        layer, {"return_sequences", "return_state", "go_backwards", "time_major", "zero_output_for_mask", "cell"});
    const JsonValue cell = layer.config.at("cell");
    if (!cell.is_object()) cell.unsupported("is no single cell; known are LSTMCell, GRUCell and SimpleRNNCell");
    how.cell = keras_layer(cell);
    kind = how.cell.kind;
    if (kind != "LSTMCell" && kind != "GRUCell" && kind != "SimpleRNNCell")
      cell.unsupported("is of class " + in_quotes(kind) + "; known are LSTMCell, GRUCell and SimpleRNNCell");
    kind.resize(kind.size() - 4);
    check_keras_keys(how.cell, {"units", "activation", "recurrent_activation", "use_bias", "reset_after"});
  } else {
    check_keras_keys(layer, {"units", "activation", "recurrent_activation", "use_bias", "return_sequences",
                             "return_state", "go_backwards", "time_major", "reset_after", "zero_output_for_mask"});
  }
  must_be_off(layer.config, {"time_major"});
  how.op = kind == "SimpleRNN" ? "RNN" : kind;
  how.backwards = keras_flag(layer.config, "go_backwards", false);
  how.zero_output = keras_flag(layer.config, "zero_output_for_mask", false);
  return how;
}

KerasGraph::Scan KerasGraph::scan(const KerasLayer& owner, const Direction& how, const KerasValue& x) {
  const JsonValue& config = how.cell.config;
  const std::int64_t H = config.at("units").size(), I = width(owner, x);
  const bool has_bias = keras_flag(config, "use_bias", true);
  const bool reset_after = how.op == "GRU" && keras_flag(config, "reset_after", false);
  const std::vector<std::int64_t> order = order_of(how.op);
  const auto G = static_cast<std::int64_t>(order.size());
  std::vector<std::string> roles = {"kernel", "recurrent_kernel"};
  if (has_bias) roles.push_back("bias");
  const std::vector<KerasWeight> found = take(roles, how.part);
  expect(owner, "kernel", found[0], {I, G * H});
  expect(owner, "recurrent kernel", found[1], {H, G * H});
  std::vector<std::string> inputs = {x.name, floats({1, G * H, I}, gate_rows(found[0], H, order)),
                                     floats({1, G * H, H}, gate_rows(found[1], H, order)), "", ""};
  if (has_bias) {
    expect(owner, "bias", found[2], reset_after ? Shape{2, G * H} : Shape{G * H});
    const auto half = static_cast<std::ptrdiff_t>(G * H);
    std::vector<float> bias;
    for (std::ptrdiff_t begin = 0; begin < std::ssize(found[2].values); begin += half) {
      const KerasWeight row{{1, G * H}, {found[2].values.begin() + begin, found[2].values.begin() + begin + half}};
      const std::vector<float> part = gate_rows(row, H, order);
      bias.insert(bias.end(), part.begin(), part.end());
    }
    bias.resize(static_cast<std::size_t>(2 * G * H));
    inputs[3] = floats({1, 2 * G * H}, bias);
  }
  const std::size_t states = how.op == "LSTM" ? 2 : 1;
  if (!how.initial.empty() && how.initial.size() != states)
    owner.config.unsupported("is given " + std::to_string(how.initial.size()) + " states, not " +
                             std::to_string(states));
  for (const std::string& state : how.initial) inputs.push_back(node("Unsqueeze", {state, integers({1}, {1})}));
  NodeAttributes attributes;
  attributes.integer("hidden_size", H).integer("layout", 1);
  if (how.backwards) attributes.text("direction", "reverse");
  if (reset_after) attributes.integer("linear_before_reset", 1);
  const KerasActivation own = activations_.of_recurrent(config, "activation");
  if (how.op == "RNN") {
    set_activations(attributes, {own});
  } else {
    const KerasActivation gates = activations_.of_recurrent(config, "recurrent_activation");
    set_activations(attributes,
                    how.op == "LSTM" ? std::vector{gates, own, own} : std::vector<KerasActivation>{gates, own});
  }
  if (!x.mask.empty()) {
    if (!how.initial.empty())
      owner.config.unsupported("has a mask and is given states; before the first step that counts Keras gives zeros");
    inputs.resize(kMask);
    inputs.push_back(known_mask(owner, x));
    if (how.zero_output) attributes.integer("zero_output", 1);
  }
  now_ = how.name;
  const std::vector<std::string> given = nodes(how.op, inputs, 1 + states, attributes, kOwnDomain);
  now_ = owner.name;
  has_recurrent_ = true;
  Scan result{node("Squeeze", {given[0], integers({1}, {2})}), {}, H};
  for (std::size_t s = 1; s < given.size(); ++s)
    result.finals.push_back(node("Squeeze", {given[s], integers({1}, {1})}));
  return result;
}

KerasGraph::Values KerasGraph::one_way(const KerasLayer& layer, const KerasValue& x) {
  Direction how = direction_of(layer);
  how.initial = initial_;
  const bool whole = returns_sequences(layer);
  if (!x.mask.empty() && whole && how.backwards)
    layer.config.at("go_backwards").unsupported("turns the steps of a sequence and not those of its mask");
  if (!x.mask.empty() && !whole && how.zero_output)
    layer.config.at("zero_output_for_mask").unsupported("needs return_sequences");
  const Scan done = scan(layer, how, x);
  const std::string y = how.backwards && whole ? flipped(done.y) : done.y;
  Values outputs = {whole ? KerasValue{y, {-1, done.hidden}, passed_on(x.mask), false}
                          : KerasValue{done.finals[0], {done.hidden}, "", false}};
  if (keras_flag(layer.config, "return_state", false))
    for (const std::string& state : done.finals) outputs.push_back({state, {done.hidden}, "", false});
  return outputs;
}

KerasGraph::Values KerasGraph::both_ways(const KerasLayer& layer, const KerasValue& x) {
  const JsonValue& config = layer.config;
  check_keras_keys(layer, {"layer", "backward_layer", "merge_mode"});
  const KerasLayer inner = keras_layer(config.at("layer"));
  const bool is_told = config.has("backward_layer") && !config.at("backward_layer").is_null();
  const KerasLayer other = is_told ? keras_layer(config.at("backward_layer")) : inner;
  for (const auto& [key, each] : {std::pair{"layer", &inner}, std::pair{"backward_layer", &other}})
    if (each->kind != "LSTM" && each->kind != "GRU" && each->kind != "SimpleRNN" && each->kind != "RNN")
      config.at(key).unsupported("is of class " + in_quotes(each->kind) + "; known are LSTM, GRU, SimpleRNN and RNN");
  Direction first = direction_of(inner), second = direction_of(other);
  if (!is_told) second.backwards = !first.backwards;
  const bool whole = returns_sequences(inner);
  if (first.backwards == second.backwards || returns_sequences(other) != whole)
    config.at(is_told ? "backward_layer" : "layer")
        .wrong("must run the other way than the forward layer, and give as much; save the model again");
  if (!x.mask.empty() && whole && is_standalone_)
    config.unsupported(
        "reads a sequence with a mask, where versions of Keras before TensorFlow's differ; load the model with a newer "
        "Keras, and save it again");
  first.part = "forward", second.part = "backward";
  first.name = layer.name + "_fwd", second.name = layer.name + "_bwd";
  first.zero_output = second.zero_output = whole;  // Keras sets it, whatever the layers say
  const auto half = static_cast<std::ptrdiff_t>(initial_.size() / 2);
  first.initial = {initial_.begin(), initial_.begin() + half};
  second.initial = {initial_.begin() + half, initial_.end()};
  const Scan one = scan(layer, first, x), two = scan(layer, second, x);
  // What the second gives is turned round, so that where it goes backwards its steps stand in order again.
  const auto in_order = [&](const Scan& scan, bool turned) { return turned ? flipped(scan.y) : scan.y; };
  if (!x.mask.empty() && whole && first.backwards)
    config.at("layer").unsupported("turns the steps of a sequence and not those of its mask");
  const std::string a = whole ? in_order(one, first.backwards) : one.finals[0];
  const std::string b = whole ? in_order(two, !second.backwards) : two.finals[0];
  const auto give = [&](const std::string& name, std::int64_t size) {
    return whole ? KerasValue{name, {-1, size}, passed_on(x.mask), false} : KerasValue{name, {size}, "", false};
  };
  const auto mode = config.has("merge_mode") && !config.at("merge_mode").is_null()
                        ? config.at("merge_mode").text()
                        : std::string(config.has("merge_mode") ? "" : "concat");
  Values outputs;
  if (mode.empty()) {
    outputs = {give(a, one.hidden), give(b, two.hidden)};
  } else if (mode == "concat") {
    const std::string y = node("Concat", {a, b}, NodeAttributes().integer("axis", -1));
    outputs = {give(y, one.hidden + two.hidden)};
  } else if (mode == "sum" || mode == "ave" || mode == "mul") {
    if (one.hidden != two.hidden) config.at("merge_mode").wrong("joins layers of different units");
    const std::string y = node(mode == "mul" ? "Mul" : "Add", {a, b});
    outputs = {give(mode == "ave" ? node("Mul", {y, floats({}, {0.5f})}) : y, one.hidden)};
  } else {
    config.at("merge_mode").unsupported(in_quotes(mode) + " is not known; known are concat sum ave mul and null");
  }
  if (keras_flag(inner.config, "return_state", false))
    for (const Scan* scan : {&one, &two})
      for (const std::string& state : scan->finals) outputs.push_back({state, {scan->hidden}, "", false});
  return outputs;
}

KerasGraph::Values KerasGraph::recurrent(const KerasLayer& layer, const KerasValue& x) {
  const bool both = layer.kind == "Bidirectional";
  if (!both && layer.kind != "LSTM" && layer.kind != "GRU" && layer.kind != "SimpleRNN" && layer.kind != "RNN")
    return {};
  a_sequence(layer, x);
  return both ? both_ways(layer, x) : one_way(layer, x);
}

}  // namespace rnnc::files
