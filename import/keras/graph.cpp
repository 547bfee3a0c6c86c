#include "import/keras/graph.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>

#include "import/file_error.hpp"
#include "import/refusal.hpp"

namespace rnnc::files {
namespace {

// Returns the dims behind the batch that a configuration has of an input; none where it has no shape.
Shape dims_of_input(const JsonValue& config) {
  Shape dims;
  for (const char* key : {"batch_shape", "batch_input_shape"}) {
    if (!config.has(key) || config.at(key).is_off()) continue;
    for (const JsonValue& dim : config.at(key).elements()) dims.push_back(dim.is_null() ? -1 : dim.size());
    dims.erase(dims.begin());
    break;
  }
  return dims;
}

bool is_scan(const std::string& kind) {
  return kind == "LSTM" || kind == "GRU" || kind == "SimpleRNN" || kind == "RNN" || kind == "Bidirectional";
}

bool is_of_training(const std::string& kind) {
  return kind == "Dropout" || kind == "SpatialDropout1D" || kind == "GaussianNoise" || kind == "GaussianDropout" ||
         kind == "AlphaDropout" || kind == "ActivityRegularization" || kind == "Identity";
}

// The mask of a sequence that has one or none, by the version of Keras.
constexpr const char* kUncertain = "?";

// Returns the first or the second number of a version; 0 where there is none.
int number_of(std::string_view version, bool is_second) {
  if (const std::size_t point = version.find('.'); is_second)
    version = point == std::string_view::npos ? "" : version.substr(point + 1);
  int number = 0;
  std::from_chars(version.data(), version.data() + version.size(), number);
  return number;
}

}  // namespace

KerasGraph::KerasGraph(const KerasModel& model, std::string_view version, const KerasWeights& weights,
                       std::size_t file_bytes, std::string_view file)
    : GraphWriter(file_bytes, file),
      model_(model),
      major_(number_of(version, false)),
      minor_(number_of(version, true)),
      is_standalone_(major_ < 3 && minor_ < 4 && version.find("-tf") == std::string_view::npos),
      activations_(version),
      weights_(weights) {}

OnnxModel KerasGraph::write() {
  result_.has_layer_names = true;
  if (model_.calls.front().layer.kind != "InputLayer") add_input_of_sequential();
  for (const KerasCall& call : model_.calls) {
    now_ = owner_ = call.layer.name;
    if (call.layer.kind == "InputLayer")
      add_input_of(call.layer.name, call.layer.name, call.layer.config, dims_of_input(call.layer.config));
    else
      write_call(call);
  }
  if (!has_recurrent_) unsupported(file(), "", "there is no recurrent layer in the model");
  for (const KerasArgument& output : model_.outputs) add_output(value(output).name, output.tensor->layer);
  return std::move(result_);
}

const KerasValue& KerasGraph::found(const KerasArgument& argument) const {
  const auto found = values_.find(*argument.tensor);
  if (found == values_.end())
    argument.place.unsupported("is output " + std::to_string(argument.tensor->output) + " of layer " +
                               in_quotes(argument.tensor->layer) + ", which the layer does not have");
  return found->second;
}

// Returns a value of numbers.
const KerasValue& KerasGraph::value(const KerasArgument& argument) const {
  const KerasValue& result = found(argument);
  if (result.name.empty())
    argument.place.unsupported("is a comparison, of which only the mask of a layer can be imported");
  return result;
}

// Returns how often the model repeats a vector, which is the number of steps of its inputs; -1 where it does not.
std::int64_t KerasGraph::repeats() const {
  std::int64_t result = -1;
  for (const KerasCall& call : model_.calls)
    if (call.layer.kind == "RepeatVector" && call.layer.config.has("n")) result = call.layer.config.at("n").size();
  return result;
}

// A number of steps that the file has is left open, unless the model repeats vectors as often.
void KerasGraph::add_input_of(const std::string& layer, const std::string& name, const JsonValue& place, Shape shape) {
  const KerasTensor tensor{layer};
  std::set<KerasTensor> same = {tensor};  // in models within the model
  const bool is_whole = std::ranges::any_of(model_.calls, [&](const KerasCall& call) {
    if (call.arguments.empty() || !call.arguments[0].tensor || !same.contains(*call.arguments[0].tensor)) return false;
    if (call.layer.kind == kKerasBoundary) same.insert({call.layer.name, call.number, 0});
    return call.layer.kind == "Embedding";
  });
  if (shape.empty() || shape.size() > 4)
    place.unsupported("is an input of " + std::to_string(shape.size()) + " dims behind the batch; known are 1 to 4");
  std::vector<std::string> names = {"batch"};
  if (shape.size() > 1 || is_whole) names.push_back("time"), shape[0] = shape[0] == repeats() ? shape[0] : -1;
  Shape dims = {-1};
  dims.insert(dims.end(), shape.begin(), shape.end());
  add_input(name, dims, names, is_whole);
  if (shape.size() > 1 || is_whole) steps_.insert(shape[0]), shape[0] = -1;
  values_[tensor] = {name, shape, "", is_whole};
}

// A Sequential model may have no layer for its input. Its first layers then say how wide it is, by their shape or by
// their weights.
void KerasGraph::add_input_of_sequential() {
  const JsonValue& first = model_.calls.front().layer.config;
  Shape shape = dims_of_input(first);
  for (const KerasCall& call : model_.calls) {
    if (!shape.empty()) break;
    const std::string& kind = call.layer.kind;
    if (kind == "Embedding")
      shape = {-1};
    else if (is_scan(kind) || kind == "Dense" || kind == "TimeDistributed")
      shape = {-1, weights_.input_width(call.layer.name)};
    else if (!is_of_training(kind) && kind != "Masking" && kind != kKerasBoundary)
      call.layer.config.unsupported("the model does not say how wide its input is; begin it with keras.Input");
  }
  add_input_of("", "x", first, shape);
}

void KerasGraph::write_call(const KerasCall& call) {
  const KerasLayer& layer = call.layer;
  Values outputs;
  if (layer.kind == "NotEqual" || layer.kind == "Any") {
    outputs = compared(call);
  } else if (call.layer.kind == kKerasBoundary) {
    for (const KerasArgument& argument : call.arguments) {
      outputs.push_back(value(argument));
      if (!outputs.back().mask.empty()) outputs.back().mask = kUncertain;
    }
  } else if (call.key) {
    outputs = item(call);
  } else {
    const std::set<std::string> known = {"mask", "initial_state", "training"};
    if (call.more)
      for (const std::string& key : call.more->keys())
        if (!call.more->at(key).is_off() && !known.contains(key))
          call.more->at(key).unsupported("is given to the layer, which cannot be imported; leave it out");
    if (call.more && call.more->has("training") && !call.more->at("training").is_off())
      call.more->at("training").unsupported("is on, as if the layer were trained; leave it out");
    Values inputs;
    for (const KerasArgument& argument : call.arguments)
      inputs.push_back(argument.tensor ? value(argument)
                                       : KerasValue{floats({}, {static_cast<float>(argument.number)}), {}, "", false});
    if (inputs.empty()) layer.config.wrong("reads nothing; save the model again");
    if (layer.is_function)
      for (KerasValue& input : inputs) input.mask.clear();
    initial_.clear();
    if (is_scan(layer.kind)) {  // the states may stand behind the sequence
      for (std::size_t k = 1; k < inputs.size(); ++k) initial_.push_back(inputs[k].name);
      inputs.resize(1);
      for (const KerasArgument& state : call.states) {
        if (!state.tensor) state.place.unsupported("is a number; only a tensor of a layer can be a state");
        initial_.push_back(value(state).name);
      }
    } else if (!call.states.empty()) {
      call.states[0].place.unsupported("is given to a layer that has no state");
    }
    bool is_other = false;
    if (call.mask) {
      const KerasValue& given = found(*call.mask);
      const std::string& mask = given.mask;
      if (!given.name.empty() || mask.empty()) call.mask->place.unsupported("is no mask of steps");
      is_other = mask != inputs[0].mask;
      inputs[0].mask = mask;
    }
    outputs = apply(layer, std::move(inputs));
    for (KerasValue& output : outputs)
      if (is_other && !output.mask.empty()) output.mask = kUncertain;
  }
  for (std::size_t k = 0; k < outputs.size(); ++k)
    values_[{layer.name, call.number, static_cast<std::int64_t>(k)}] = std::move(outputs[k]);
}

KerasGraph::Values KerasGraph::apply(const KerasLayer& layer, Values inputs) {
  Values outputs = merged(layer, inputs);
  if (!outputs.empty()) return outputs;
  if (inputs.size() != 1)
    layer.config.unsupported("a layer of class " + in_quotes(layer.kind) + " cannot be imported with " +
                             std::to_string(inputs.size()) + " inputs");
  const KerasValue& x = inputs[0];
  if (is_of_training(layer.kind)) return {{x.name, x.shape, mask_behind(layer, x), x.is_whole}};
  for (const auto kind : {&KerasGraph::recurrent, &KerasGraph::simple, &KerasGraph::convolution, &KerasGraph::shaped}) {
    outputs = (this->*kind)(layer, x);
    if (!outputs.empty()) return outputs;
  }
  layer.config.unsupported("layers of class " + in_quotes(layer.kind) + " cannot be imported, as " +
                           in_quotes(layer.name) + " is");
}

// A layer that is called several times has its weights once.
std::string KerasGraph::constant(const std::string& role, const KerasWeight& weight) {
  std::string& name = constants_[{owner_, role}];
  if (name.empty()) name = floats(weight.shape, weight.values);
  return name;
}

std::string KerasGraph::flipped(const std::string& y) {
  return node("Slice", {y, integers({1}, {-1}), integers({1}, {std::numeric_limits<std::int64_t>::min()}),
                        integers({1}, {1}), integers({1}, {-1})});
}

void KerasGraph::expect(const KerasLayer& layer, const std::string& role, const KerasWeight& found,
                        const Shape& shape) {
  if (found.shape != shape)
    layer.config.wrong("its " + role + " is " + to_string(found.shape) + " but must be " + to_string(shape) +
                       "; save the model again");
}

void KerasGraph::a_sequence(const KerasLayer& layer, const KerasValue& x) {
  if (x.shape.size() != 2)
    layer.config.unsupported("reads a sequence of vectors, but gets " + to_string(x.shape) + " of each sequence");
}

// Until 3.15 a recurrent layer passed its mask on to the next layer. The source of 3.16 (keras-team/keras, 23235) no
// longer does.
std::string KerasGraph::passed_on(const std::string& mask) const {
  return mask.empty() || major_ < 3 || minor_ < 16 ? mask : kUncertain;
}

// Layers that compute each step by itself pass their mask on, but for some of them before Keras 3.
std::string KerasGraph::mask_behind(const KerasLayer& layer, const KerasValue& x) const {
  const bool is_kept = layer.kind != "Identity" && layer.kind != "Normalization" && layer.kind != "Rescaling";
  return major_ >= 3 || is_kept ? x.mask : "";
}

// Where one of the inputs has no mask, what is computed of them element by element has none since Keras 3.4, and the
// mask of the others before.
std::string KerasGraph::joined_mask(const Values& inputs, bool is_concatenation) const {
  std::string mask;
  bool has_none = false;
  for (const KerasValue& each : inputs) {
    has_none = has_none || each.mask.empty();
    if (each.mask.empty()) continue;
    if (!mask.empty() && mask != each.mask) return kUncertain;
    mask = each.mask;
  }
  if (mask.empty() || !has_none) return mask;
  if (is_concatenation) return kUncertain;
  return major_ >= 3 && minor_ >= 4 ? "" : mask;
}

std::string KerasGraph::known_mask(const KerasLayer& layer, const KerasValue& x) {
  if (x.mask == kUncertain)
    layer.config.unsupported(
        "reads a sequence that has a mask or none, depending on the version of Keras; build the model with mask= given "
        "to this layer");
  return x.mask;
}

void KerasGraph::no_mask(const KerasLayer& layer, const KerasValue& x) {
  if (!x.mask.empty())
    layer.config.unsupported("reads a sequence with a mask, which a layer of class " + in_quotes(layer.kind) +
                             " cannot be imported with");
}

std::int64_t KerasGraph::width(const KerasLayer& layer, const KerasValue& x) {
  if (x.shape.empty() || x.shape.back() < 1 || x.is_whole)
    layer.config.unsupported("reads features, but gets " + (x.is_whole ? "tokens" : to_string(x.shape)));
  return x.shape.back();
}

// The axis counts the batch: of a sequence 2 is the last, and within a TimeDistributed 1.
void KerasGraph::last_axis(const KerasLayer& layer, const KerasValue& x) {
  const JsonValue& config = layer.config;
  if (!config.has("axis")) return;
  const JsonValue axis = config.at("axis").is_array() && config.at("axis").elements().size() == 1
                             ? config.at("axis").elements()[0]
                             : config.at("axis");
  if (const double value = axis.number();
      value != -1 && value != static_cast<double>(std::ssize(x.shape) - layer.dims_around))
    axis.unsupported("must be the last one");
}

void KerasGraph::must_be_off(const JsonValue& config, std::initializer_list<const char*> keys) {
  for (const char* key : keys)
    if (config.has(key) && !config.at(key).is_off())
      config.at(key).unsupported("is on, which cannot be imported; save a model without it");
}

}  // namespace rnnc::files
