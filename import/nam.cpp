// NAM's LSTM has its weights in one flat list: W[4H, I+H], b[4H], h0[H], c0[H] for each layer, then a head W[O, H],
// b[O]. A file may hold several models: one behind the other, or of several sizes of which the largest is meant.
#include "import/audio_models.hpp"
#include "import/file_error.hpp"
#include "import/layer_stack.hpp"

namespace rnnc::files {
namespace {

class Flat {
 public:
  explicit Flat(const JsonValue& weights) : values_(weights.vector()) {}

  std::vector<float> take(std::int64_t count) {
    const auto begin = values_.begin() + next_;
    next_ += count;
    return {begin, values_.begin() + next_};
  }
  Matrix take(std::int64_t rows, std::int64_t columns) { return {rows, columns, take(rows * columns)}; }
  std::int64_t size() const { return static_cast<std::int64_t>(values_.size()); }

 private:
  std::vector<float> values_;
  std::int64_t next_ = 0;
};

struct Sizes {
  std::int64_t inputs, hidden, layers, outputs;
};

// Checks that the list has as many numbers as the sizes ask for. Sizes are at most 2^24, so the count of a layer fits
// 64 bits.
void check_count(const JsonValue& weights, std::int64_t found, const Sizes& sizes) {
  std::int64_t wanted = sizes.outputs * (sizes.hidden + 1);
  for (std::int64_t layer = 0; layer < sizes.layers && wanted <= found; ++layer)
    wanted += 4 * sizes.hidden * ((layer == 0 ? sizes.inputs : sizes.hidden) + sizes.hidden) + 6 * sizes.hidden;
  if (wanted != found)
    weights.wrong("has " + std::to_string(found) + " numbers but the sizes of config need " +
                  (wanted > found ? "more: at least " : "") + std::to_string(wanted) + "; save the model again");
}

Sizes sizes_of(const JsonValue& model) {
  const JsonValue config = model.at("config");
  config.only({"input_size", "hidden_size", "num_layers", "in_channels", "out_channels"});
  Sizes sizes = {config.at("input_size").size(), config.at("hidden_size").size(), config.at("num_layers").size(), 1};
  if (config.has("out_channels")) sizes.outputs = config.at("out_channels").size();
  if (config.has("in_channels") && config.at("in_channels").size() != sizes.inputs)
    config.at("in_channels")
        .unsupported("is not the input_size of " + std::to_string(sizes.inputs) +
                     "; only a model that reads its channels and nothing else can be imported");
  return sizes;
}

// metadata describes the model for people: names, dates, loudness. It does not change the numbers.
std::string architecture_of(const JsonValue& model) {
  model.only_of_meaning({"config", "weights"});
  if (model.has("version"))
    if (const std::string version = model.at("version").text(); !version.starts_with("0."))
      model.at("version").unsupported("version " + in_quotes(version) + " is not known; known is 0.x");
  return model.at("architecture").text();
}

void no_own_weights(const JsonValue& container) {
  if (container.has("weights") && !container.at("weights").elements().empty())
    container.at("weights").unsupported("has numbers beside those of the models in config; save the model again");
}

// The submodels do the same work at different costs, in ascending order; NAM begins with the last one.
JsonValue largest_of(const JsonValue& container) {
  no_own_weights(container);
  const JsonValue config = container.at("config");
  config.only({"submodels"});
  const std::vector<JsonValue> submodels = config.at("submodels").elements();
  if (submodels.empty()) config.at("submodels").wrong("has no model");
  double below = 0;
  for (const JsonValue& submodel : submodels) {
    submodel.only({"max_value", "model"});
    const double value = submodel.at("max_value").number();
    if (&submodel != &submodels.front() && value <= below)
      submodel.at("max_value").wrong("must be above that of the submodel before");
    below = value;
  }
  if (below < 1) submodels.back().at("max_value").wrong("must be at least 1 in the last submodel");
  return submodels.back().at("model");
}

std::vector<JsonValue> models_in_a_row(const JsonValue& container) {
  no_own_weights(container);
  const JsonValue config = container.at("config");
  config.only({"models", "layers", "weights_version"});
  if (config.has("weights_version") && config.at("weights_version").size() != 2)
    config.at("weights_version").unsupported("must be 2: each of the models has its weights");
  std::vector<JsonValue> models;
  const JsonValue list = config.at(config.has("models") ? "models" : "layers");
  for (const JsonValue& entry : list.elements()) models.push_back(entry.has("model") ? entry.at("model") : entry);
  if (models.empty()) list.wrong("has no model");
  return models;
}

// Adds the LSTMs that a model consists of, in the order in which they run. JSON nests at most as deep as the limit.
void flatten(const JsonValue& model, std::vector<JsonValue>& lstms) {
  const std::string name = architecture_of(model);
  if (name == "LSTM") return lstms.push_back(model);
  if (name == "SlimmableContainer") return flatten(largest_of(model), lstms);
  if (name == "Sequential" || name == "sequential") {
    for (const JsonValue& part : models_in_a_row(model)) flatten(part, lstms);
    return;
  }
  const bool convolutions = name == "WaveNet" || name == "ConvNet" || name == "Linear";
  model.at("architecture")
      .unsupported("architecture " + in_quotes(name) + " cannot be imported" +
                   (convolutions ? ": it is a model of convolutions over time, without recurrence" : "") +
                   "; known are LSTM, and Sequential and SlimmableContainer of LSTMs");
}

}  // namespace

Imported import_nam(const JsonValue& root) {
  std::vector<JsonValue> lstms;
  flatten(root, lstms);
  std::size_t recurrent = 0;
  std::vector<Sizes> sizes;
  std::vector<Flat> flats;
  for (const JsonValue& model : lstms) {
    sizes.push_back(sizes_of(model));
    flats.emplace_back(model.at("weights"));
    check_count(model.at("weights"), flats.back().size(), sizes.back());
    recurrent += static_cast<std::size_t>(sizes.back().layers);
  }
  LayerStack stack("model", "from a NAM file", sizes.front().inputs, recurrent, root.file());
  std::vector<std::vector<float>> initial;
  for (std::size_t i = 0; i < lstms.size(); ++i) {
    const auto [inputs, hidden, layers, outputs] = sizes[i];
    const std::string of = lstms[i].path().empty() ? "" : lstms[i].path() + ", ";
    for (std::int64_t layer = 0; layer < layers; ++layer) {
      const std::int64_t below = layer == 0 ? inputs : hidden;
      const Matrix fused = flats[i].take(4 * hidden, below + hidden);
      GateWeights weights{"ifgo", fused.column_range(0, below), fused.column_range(below, below + hidden), {}, {}};
      weights.b = flats[i].take(4 * hidden);
      stack.lstm(weights, of + "layer " + std::to_string(layer));
      initial.push_back(flats[i].take(hidden));
      initial.push_back(flats[i].take(hidden));
    }
    const Matrix head = flats[i].take(outputs, hidden);
    stack.dense(head, flats[i].take(outputs), of + "the head");
  }
  return stack.build(initial);
}

}  // namespace rnnc::files
