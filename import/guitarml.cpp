// A GuitarML file has torch's recurrent layers `rec` and a linear layer `lin`; the reader adds the input to the output
// of `lin`.
#include "import/audio_models.hpp"
#include "import/file_error.hpp"
#include "import/layer_stack.hpp"

namespace rnnc::files {
namespace {

struct Unit {
  const char* type;
  const char* gates;
};

constexpr Unit kUnits[] = {{"LSTM", "ifgo"}, {"GRU", "rzn"}, {"RNN", ""}};

const Unit& unit_of(const JsonValue& type) {
  const std::string name = type.text();
  for (const Unit& unit : kUnits)
    if (name == unit.type) return unit;
  type.unsupported("units of type " + in_quotes(name) + " cannot be imported; known are LSTM GRU RNN");
}

void check_sizes(const JsonValue& value, std::int64_t found, std::int64_t wanted, const std::string& source) {
  if (found != wanted)
    value.wrong("is for a size of " + std::to_string(found) + " but " + source + " says " + std::to_string(wanted) +
                "; correct one of them");
}

GateWeights layer_of(const JsonValue& state_dict, const Unit& unit, std::int64_t layer, std::int64_t hidden,
                     std::set<std::string>& used) {
  const std::string suffix = "_l" + std::to_string(layer);
  const auto take = [&](const std::string& name) {
    used.insert("rec." + name + suffix);
    return state_dict.at("rec." + name + suffix);
  };
  GateWeights weights{unit.gates, take("weight_ih").matrix(), take("weight_hh").matrix(), {}, {}};
  check_sizes(state_dict.at("rec.weight_hh" + suffix), weights.hidden(), hidden, "hidden_size");
  if (state_dict.has("rec.bias_ih" + suffix) || state_dict.has("rec.bias_hh" + suffix)) {
    weights.b = take("bias_ih").vector();
    weights.bu = take("bias_hh").vector();
    const std::size_t rows = static_cast<std::size_t>(weights.U.rows);
    for (const char* name : {"rec.bias_ih", "rec.bias_hh"})
      check_sizes(state_dict.at(name + suffix), static_cast<std::int64_t>(state_dict.at(name + suffix).vector().size()),
                  static_cast<std::int64_t>(rows), "rec.weight_hh" + suffix);
  }
  return weights;
}

}  // namespace

Imported import_guitarml(const JsonValue& root) {
  root.only_of_meaning({"model_data", "state_dict"});
  const JsonValue data = root.at("model_data"), state_dict = root.at("state_dict");
  data.only_of_meaning(
      {"model", "input_size", "skip", "output_size", "unit_type", "num_layers", "hidden_size", "bias_fl"});
  if (const std::string name = data.at("model").text(); name != "SimpleRNN")
    data.at("model").unsupported("models of type " + in_quotes(name) + " cannot be imported; known is SimpleRNN");
  const std::int64_t inputs = data.at("input_size").size(), outputs = data.at("output_size").size();
  const std::int64_t hidden = data.at("hidden_size").size(), layers = data.at("num_layers").size();
  const std::int64_t skip = data.at("skip").size(0);
  const Unit& unit = unit_of(data.at("unit_type"));
  LayerStack stack("model", "from a GuitarML file", inputs, static_cast<std::size_t>(layers), root.file());
  std::set<std::string> used = {"lin.weight"};
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const GateWeights weights = layer_of(state_dict, unit, layer, hidden, used);
    const std::string what = "state_dict, layer " + std::to_string(layer) + " of rec";
    if (weights.gates == "ifgo")
      stack.lstm(weights, what);
    else if (weights.gates == "rzn")
      stack.gru(weights, true, what);
    else
      stack.rnn(weights, what);
  }
  std::vector<float> bias;
  if (data.at("bias_fl").flag()) bias = (used.insert("lin.bias"), state_dict.at("lin.bias").vector());
  stack.dense(state_dict.at("lin.weight").matrix(), bias, "state_dict.lin");
  check_sizes(state_dict.at("lin.weight"), stack.size(), outputs, "output_size");
  state_dict.only(used);
  if (skip > 0) {
    check_sizes(data.at("skip"), skip, outputs, "output_size");
    stack.add_input("model_data.skip");
  }
  return stack.build();
}

}  // namespace rnnc::files
