#include "import/keras_layers.hpp"

#include <algorithm>

#include "import/file_error.hpp"

namespace rnnc::files {
namespace {

// Returns the names of the layers that a node's argument reads; Keras 2 writes [name, node, tensor, kwargs], Keras 3 an
// object with keras_history.
std::string source_of(const JsonValue& argument) {
  if (argument.is_array()) {
    const std::vector<JsonValue> parts = argument.elements();
    if (parts.size() < 3 || parts.size() > 4) argument.unsupported("is no tensor of one layer");
    if (parts[2].size(0) != 0) parts[2].unsupported("is not the first output of its layer");
    if (parts.size() == 4)
      for (const std::string& key : parts[3].keys())
        if (!parts[3].at(key).is_off()) parts[3].at(key).unsupported("is given to the layer; only its input may be");
    return parts[0].text();
  }
  if (!argument.has("config") || !argument.at("config").has("keras_history"))
    argument.unsupported("is no tensor of one layer");
  const std::vector<JsonValue> history = argument.at("config").at("keras_history").elements();
  if (history.size() != 3) argument.unsupported("is no tensor of one layer");
  if (history[2].size(0) != 0) history[2].unsupported("is not the first output of its layer");
  return history[0].text();
}

// Returns the one layer that the layer reads.
std::string input_of(const JsonValue& nodes) {
  const std::vector<JsonValue> all = nodes.elements();
  if (all.size() != 1)
    nodes.unsupported("the layer is used " + std::to_string(all.size()) + " times; only once can be imported");
  const JsonValue arguments = all[0].is_array() ? all[0] : all[0].at("args");
  if (!all[0].is_array() && all[0].has("kwargs"))
    for (const std::string& key : all[0].at("kwargs").keys())
      if (!all[0].at("kwargs").at(key).is_off())
        all[0].at("kwargs").at(key).unsupported("is given to the layer; only its input may be");
  const std::vector<JsonValue> inputs = arguments.elements();
  if (inputs.size() != 1)
    arguments.unsupported("has " + std::to_string(inputs.size()) + " inputs; only layers in a chain can be imported");
  return source_of(inputs[0]);
}

bool is_input(const KerasLayer& layer) { return layer.kind == "InputLayer"; }

// input_layers and output_layers are one [name, node, tensor], or a list of such.
void check_end(const JsonValue& ends, const std::string& name) {
  JsonValue end = ends;
  if (end.is_nested()) {
    const std::vector<JsonValue> all = end.elements();
    if (all.size() != 1)
      end.unsupported("has " + std::to_string(all.size()) + " entries; a model has one input and one output");
    end = all[0];
  }
  if (const std::string found = source_of(end); found != name)
    end.unsupported("is " + in_quotes(found) + " but the chain of layers ends in " + in_quotes(name));
}

}  // namespace

KerasLayer keras_layer(const JsonValue& entry) {
  const JsonValue config = entry.at("config");
  return {entry.at("class_name").text(), config.has("name") ? config.at("name").text() : "", config};
}

std::vector<KerasLayer> keras_chain(const JsonValue& root) {
  const std::string kind = root.at("class_name").text();
  const JsonValue config = root.at("config");
  if (kind != "Sequential" && kind != "Functional" && kind != "Model")
    root.at("class_name")
        .unsupported("models of class " + in_quotes(kind) + " cannot be imported; known are Sequential and Functional");
  const JsonValue entries = config.is_array() ? config : config.at("layers");
  std::vector<KerasLayer> chain;
  std::set<std::string> names;
  for (const JsonValue& entry : entries.elements()) {
    KerasLayer layer = keras_layer(entry);
    if (!names.insert(layer.name).second)
      layer.config.wrong("there are two layers of the name " + in_quotes(layer.name) + "; save the model again");
    if (kind != "Sequential" && chain.empty() != is_input(layer))
      entry.unsupported("a model begins with its one input, and layers in a chain follow");
    if (kind != "Sequential" && !is_input(layer)) {
      const std::string input = input_of(entry.at("inbound_nodes"));
      if (input != chain.back().name)
        entry.at("inbound_nodes")
            .unsupported("layer " + in_quotes(layer.name) + " reads " + in_quotes(input) +
                         ", but only the layer before, " + in_quotes(chain.back().name) + ", can be read");
    }
    chain.push_back(std::move(layer));
  }
  if (kind != "Sequential" && !chain.empty()) {
    check_end(config.at("input_layers"), chain.front().name);
    check_end(config.at("output_layers"), chain.back().name);
  }
  std::erase_if(chain, is_input);
  if (chain.empty()) entries.unsupported("has no layers");
  return chain;
}

void check_keras_keys(const KerasLayer& layer, const std::set<std::string>& keys) {
  static const std::set<std::string> idle = {"name",
                                             "trainable",
                                             "dtype",
                                             "batch_input_shape",
                                             "batch_shape",
                                             "build_config",
                                             "implementation",
                                             "unroll",
                                             "stateful",
                                             "dropout",
                                             "recurrent_dropout",
                                             "unit_forget_bias",
                                             "seed",
                                             "rate",
                                             "noise_shape",
                                             "stddev",
                                             "input_dim",
                                             "input_length",
                                             "momentum",
                                             "synchronized",
                                             "rms_scaling",
                                             "ragged",
                                             "sparse"};
  for (const std::string& key : layer.config.keys()) {
    const bool of_training =
        key.ends_with("_initializer") || key.ends_with("_regularizer") || key.ends_with("_constraint");
    if (keys.contains(key) || idle.contains(key) || of_training || layer.config.at(key).is_off()) continue;
    layer.config.at(key).unsupported("is not known of a layer " + layer.kind +
                                     "; only models that leave it out can be imported");
  }
}

}  // namespace rnnc::files
