#include "import/keras/layers.hpp"

#include <algorithm>
#include <utility>

#include "import/file_error.hpp"

namespace rnnc::files {
namespace {

constexpr int kMostNesting = 8;              // of lists in a layer's arguments, and of models
constexpr std::size_t kMostCalls = 100'000;  // of models within models, which may call each other many times

// Keras 2 writes a tensor as [name, node, tensor, arguments], Keras 3 as an object with keras_history.
std::optional<KerasTensor> tensor_of(const JsonValue& value, std::optional<JsonValue>& more) {
  std::vector<JsonValue> parts;
  if (value.is_object()) {
    if (!value.has("config") || !value.at("config").is_object() || !value.at("config").has("keras_history")) return {};
    parts = value.at("config").at("keras_history").elements();
    if (parts.size() != 3) value.unsupported("is no tensor of one layer");
  } else {
    if (!value.is_array() || value.is_nested() || value.is_off()) return {};
    parts = value.elements();
    if (parts.size() < 3 || parts.size() > 4 || !parts[0].is_text()) return {};
    if (parts.size() == 4 && !parts[3].is_off()) more = parts[3];
  }
  return KerasTensor{parts[0].text(), parts[1].size(0), parts[2].size(0)};
}

// Writes out what a layer is given, one by one or as a list or with names. `more` are arguments with names that Keras 2
// writes beside a tensor.
void add_arguments(const JsonValue& value, int depth, std::vector<KerasArgument>& to, std::optional<JsonValue>& more) {
  if (const auto tensor = tensor_of(value, more)) {
    to.push_back({value, tensor});
  } else if (value.is_array() && depth < kMostNesting) {
    if (value.is_off()) return;
    for (const JsonValue& part : value.elements()) add_arguments(part, depth + 1, to, more);
  } else if (value.is_object() && !value.has("class_name") && depth < kMostNesting) {
    for (const std::string& key : value.keys()) add_arguments(value.at(key), depth + 1, to, more);
  } else if (!value.is_off()) {
    if (!value.is_numbers() || value.is_array()) value.unsupported("is neither a tensor of a layer nor a number");
    to.push_back({value, {}, value.number()});
  }
}

// Tells whether values stand in a dict. Keras orders them by their names, and the file by when they came to it.
bool is_dict(const JsonValue& value) {
  if (value.is_array() && !value.is_off() && value.elements().size() == 1) return is_dict(value.elements()[0]);
  return value.is_object() && !value.has("class_name");
}

KerasCall call_of(const KerasLayer& layer, const JsonValue& node, std::int64_t number) {
  KerasCall call{layer, number, {}, {}, {}, {}, {}};
  std::optional<JsonValue> more, inner;
  if (layer.is_function && layer.kind == "GetItem" && node.is_object()) {
    const std::vector<JsonValue> of = node.at("args").elements();
    if (of.empty()) node.at("args").wrong("is empty; save the model again");
    add_arguments(of[0], 0, call.arguments, inner);
    call.key = of.size() > 1 ? of[1] : node.at("kwargs").at("key");
    if (call.arguments.size() != 1 || !call.arguments[0].tensor) of[0].unsupported("is no tensor of a layer");
    return call;
  }
  if (node.is_array()) {
    add_arguments(node, 0, call.arguments, more);
  } else {
    add_arguments(node.at("args"), 0, call.arguments, inner);
    call.has_names = is_dict(node.at("args"));
    if (node.has("kwargs")) more = node.at("kwargs");
  }
  if (!more) return call;
  call.more = more;
  if (more->has("initial_state")) add_arguments(more->at("initial_state"), 0, call.states, inner);
  if (more->has("mask") && !more->at("mask").is_off()) {
    std::vector<KerasArgument> masks;
    add_arguments(more->at("mask"), 0, masks, inner);
    if (masks.size() != 1 || !masks[0].tensor) more->at("mask").unsupported("is no tensor of one layer");
    call.mask = masks[0];
  }
  return call;
}

bool is_model(const std::string& kind) { return kind == "Sequential" || kind == "Functional" || kind == "Model"; }
bool is_input(const KerasLayer& layer) { return layer.kind == "InputLayer"; }

// Puts the calls that the outputs need into an order in which they can run.
class Order {
 public:
  Order(std::map<std::pair<std::string, std::int64_t>, KerasCall>& calls, std::vector<KerasCall>& to)
      : calls_(calls), to_(to) {}

  // Models may be deeper than the stack, so that what waits is a list.
  void add(const KerasArgument& output) {
    std::vector<KerasArgument> waiting = {output};
    while (!waiting.empty()) {
      const KerasArgument now = waiting.back();
      if (!now.tensor) {
        waiting.pop_back();
        continue;
      }
      const std::pair key{now.tensor->layer, now.tensor->call};
      const auto found = calls_.find(key);
      if (found == calls_.end())
        now.place.wrong("there is no call " + std::to_string(key.second) + " of a layer " + in_quotes(key.first) +
                        "; save the model again");
      if (done_.contains(key)) {
        waiting.pop_back();
        continue;
      }
      const bool is_second_visit = !begun_.insert(key).second;
      const std::size_t before = waiting.size();
      const auto wait_for = [&](const KerasArgument& argument) {
        if (!argument.tensor || done_.contains({argument.tensor->layer, argument.tensor->call})) return;
        if (is_second_visit) argument.place.wrong("depends on itself; save the model again");
        waiting.push_back(argument);
      };
      for (const KerasArgument& argument : found->second.arguments) wait_for(argument);
      for (const KerasArgument& argument : found->second.states) wait_for(argument);
      if (found->second.mask) wait_for(*found->second.mask);
      if (waiting.size() > before) continue;
      done_.insert(key);
      to_.push_back(found->second);
      waiting.pop_back();
    }
  }

 private:
  std::map<std::pair<std::string, std::int64_t>, KerasCall>& calls_;
  std::vector<KerasCall>& to_;
  std::set<std::pair<std::string, std::int64_t>> begun_, done_;
};

void read_sequential(KerasModel& model) {
  for (const KerasLayer& layer : model.layers) {
    KerasCall call{layer, 0, {}, {}, {}, {}, {}};
    if (is_input(layer) && !model.calls.empty()) layer.config.unsupported("is an input behind another layer");
    if (!is_input(layer))
      call.arguments.push_back({layer.config, KerasTensor{model.calls.empty() ? "" : model.calls.back().layer.name}});
    model.calls.push_back(std::move(call));
  }
  model.inputs = {KerasTensor{is_input(model.layers.front()) ? model.layers.front().name : ""}};
  model.outputs.push_back({model.layers.back().config, KerasTensor{model.layers.back().name, 0, 0}});
}

template <class Change>
void change_tensors(KerasCall& call, const Change& change) {
  for (std::vector<KerasArgument>* list : {&call.arguments, &call.states})
    for (KerasArgument& argument : *list)
      if (argument.tensor) change(*argument.tensor);
  if (call.mask && call.mask->tensor) change(*call.mask->tensor);
}

// Keras counts the calls of a model from 1, since its call with its own inputs is the first. A Sequential model without
// an input has no such call. Keras 3 does so in the list of the outputs alone, and not for Sequential models.
void count_calls_of_models(std::map<std::pair<std::string, std::int64_t>, KerasCall>& calls,
                           std::vector<KerasArgument>& outputs, bool is_third) {
  std::map<std::string, std::int64_t> counts;
  std::map<std::string, bool> has_own_call;
  for (const auto& [key, call] : calls) {
    const KerasLayer& layer = call.layer;
    if (layer.layers.empty()) continue;
    ++counts[layer.name];
    const KerasLayer& first = layer.layers.front();
    has_own_call[layer.name] =
        layer.kind != "Sequential" || (!is_third && (is_input(first) || first.config.has("batch_input_shape")));
  }
  const auto count_from_0 = [&](KerasTensor& tensor) {
    const auto count = counts.find(tensor.layer);
    if (count == counts.end()) return;
    if (count->second == 1 && tensor.call <= 1)
      tensor.call = 0;
    else if (has_own_call[tensor.layer])
      --tensor.call;
  };
  if (!is_third)
    for (auto& [key, call] : calls) change_tensors(call, count_from_0);
  for (KerasArgument& output : outputs)
    if (output.tensor) count_from_0(*output.tensor);
}

void read_functional(KerasModel& model, const JsonValue& entries, const JsonValue& config) {
  std::map<std::pair<std::string, std::int64_t>, KerasCall> calls;
  const std::vector<JsonValue> all = entries.elements();
  std::vector<KerasArgument> inputs;
  bool is_third = false;  // written by Keras 3
  for (std::size_t k = 0; k < all.size(); ++k) {
    const KerasLayer& layer = model.layers[k];
    std::int64_t number = 0;
    if (is_input(layer)) {
      calls.emplace(std::pair{layer.name, 0}, KerasCall{layer, 0, {}, {}, {}, {}, {}});
      inputs.push_back({layer.config, KerasTensor{layer.name, 0, 0}});
      continue;
    }
    for (const JsonValue& node : all[k].at("inbound_nodes").elements()) {
      calls.emplace(std::pair{layer.name, number}, call_of(layer, node, number));
      is_third = is_third || node.is_object();
      ++number;
    }
  }
  std::optional<JsonValue> more;
  std::vector<KerasArgument> named;
  model.has_names = is_dict(config.at("input_layers")) || is_dict(config.at("output_layers"));
  add_arguments(config.at("input_layers"), 0, named, more);
  add_arguments(config.at("output_layers"), 0, model.outputs, more);
  if (more) more->unsupported("is written beside an output; save the model again");
  if (model.outputs.empty()) config.at("output_layers").wrong("is empty; save the model again");
  count_calls_of_models(calls, model.outputs, is_third);
  Order order(calls, model.calls);
  for (const KerasArgument& input : named) {
    order.add(input);
    const auto is_it = [&](const KerasArgument& each) { return each.tensor == input.tensor; };
    if (std::ranges::none_of(inputs, is_it)) input.place.wrong("is no input; save the model again");
    model.inputs.push_back(*input.tensor);
  }
  for (const KerasArgument& output : model.outputs) {
    if (!output.tensor) output.place.wrong("is no tensor of a layer; save the model again");
    order.add(output);
  }
}

// Puts the calls of models within a model in the place of the calls of these models.
class Inlining {
 public:
  Inlining(KerasModel& model, const std::map<std::string, KerasModel>& inner) : model_(model), inner_(inner) {}

  void run() {
    for (KerasCall& call : std::exchange(model_.calls, {})) {
      const auto found = inner_.find(call.layer.name);
      if (found == inner_.end())
        add(std::move(call));
      else
        add_model(call, found->second);
    }
  }

 private:
  void add(KerasCall call) {
    if (!names_.insert({call.layer.name, call.number}).second)
      call.layer.config.wrong("there are two layers of the name " + in_quotes(call.layer.name) +
                              "; save the model again");
    if (model_.calls.size() == kMostCalls) call.layer.config.unsupported("is called more than 100,000 times in all");
    model_.calls.push_back(std::move(call));
  }

  void add_model(const KerasCall& call, const KerasModel& inner) {
    const std::string& name = call.layer.name;
    const JsonValue& config = call.layer.config;
    if (call.mask || !call.states.empty()) config.unsupported("a model within a model is given a mask or states");
    if ((call.has_names || inner.has_names) && inner.inputs.size() + inner.outputs.size() > 2)
      config.unsupported("a model within a model has several inputs or outputs in a dict; build it with lists of them");
    if (call.arguments.size() != inner.inputs.size())
      config.wrong("takes " + std::to_string(inner.inputs.size()) + " inputs, not " +
                   std::to_string(call.arguments.size()) + "; save the model again");
    std::map<KerasTensor, KerasTensor> inputs;
    std::map<std::string, std::int64_t> calls;  // of one layer in the inner model
    for (const KerasCall& each : inner.calls)
      calls[each.layer.name] = std::max(calls[each.layer.name], each.number + 1);
    for (std::size_t i = 0; i < inner.inputs.size(); ++i) {
      const auto own = std::ranges::find_if(inner.layers, [&](const KerasLayer& layer) {
        return layer.name == inner.inputs[i].layer && is_input(layer);
      });
      const KerasLayer boundary{kKerasBoundary, name + "//" + std::to_string(i),
                                own == inner.layers.end() ? config : own->config};
      add({boundary, call.number, {call.arguments[i]}, {}, {}, {}, {}});
      inputs[inner.inputs[i]] = {boundary.name, call.number, 0};
    }
    const auto change = [&](KerasTensor& tensor) {
      if (const auto found = inputs.find(tensor); found != inputs.end())
        tensor = found->second;
      else
        tensor = {name + "/" + tensor.layer, call.number * calls[tensor.layer] + tensor.call, tensor.output};
    };
    for (KerasCall each : inner.calls) {
      if (is_input(each.layer)) continue;
      each.number += call.number * calls[each.layer.name];
      each.layer.name = name + "/" + each.layer.name;
      change_tensors(each, change);
      add(std::move(each));
    }
    KerasCall outputs{{kKerasBoundary, name, config}, call.number, inner.outputs, {}, {}, {}, {}};
    change_tensors(outputs, change);
    add(std::move(outputs));
  }

  KerasModel& model_;
  const std::map<std::string, KerasModel>& inner_;
  std::set<std::pair<std::string, std::int64_t>> names_;
};

KerasModel read_model(const KerasLayer& own, const JsonValue& place, int depth) {
  if (!is_model(own.kind) || own.is_function)
    place.unsupported("models of class " + in_quotes(own.kind) +
                      " cannot be imported; known are Sequential and Functional");
  if (depth == kMostNesting) place.unsupported("models nest deeper than 8");
  const JsonValue entries = own.config.is_array() ? own.config : own.config.at("layers");
  KerasModel model;
  std::set<std::string> names;
  std::map<std::string, KerasModel> inner;
  for (const JsonValue& entry : entries.elements()) {
    KerasLayer layer = keras_layer(entry);
    if (!names.insert(layer.name).second)
      layer.config.wrong("there are two layers of the name " + in_quotes(layer.name) + "; save the model again");
    if (is_model(layer.kind)) {
      inner[layer.name] = read_model(layer, entry.at("class_name"), depth + 1);
      layer.layers = inner[layer.name].layers;
    }
    model.layers.push_back(std::move(layer));
  }
  if (std::ranges::all_of(model.layers, is_input)) entries.unsupported("has no layers");
  if (own.kind == "Sequential")
    read_sequential(model);
  else
    read_functional(model, entries, own.config);
  Inlining(model, inner).run();
  return model;
}

}  // namespace

KerasLayer keras_layer(const JsonValue& entry) {
  const JsonValue config = entry.at("config");
  const std::string module = entry.has("module") && entry.at("module").is_text() ? entry.at("module").text() : "";
  const bool is_function = module.starts_with("keras.src.ops.") || module.starts_with("keras.ops.");
  return {entry.at("class_name").text(), config.has("name") ? config.at("name").text() : "", config, is_function, 0};
}

KerasModel keras_model(const JsonValue& root) {
  return read_model({root.at("class_name").text(), "", root.at("config")}, root.at("class_name"), 0);
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

bool keras_flag(const JsonValue& config, const char* key, bool otherwise) {
  return config.has(key) && !config.at(key).is_null() ? config.at(key).flag() : otherwise;
}

}  // namespace rnnc::files
