// The layers that compute each step by itself, pool over the steps, or tell which steps count.
#include <algorithm>
#include <cmath>
#include <set>

#include <rnnc/join.hpp>
#include "import/file_error.hpp"
#include "import/keras/graph.hpp"

namespace rnnc::files {
namespace {

constexpr int kTensorF32 = 1, kTensorI64 = 7;  // of TensorProto.DataType

KerasWeight of_all(std::int64_t size, float value) {
  return {{size}, std::vector<float>(static_cast<std::size_t>(size), value)};
}

// Returns the layer within a layer, under the name of that one.
KerasLayer inner_of(const KerasLayer& layer) {
  KerasLayer inner = keras_layer(layer.config.at("layer"));
  inner.name = layer.name;
  inner.dims_around = 1;
  return inner;
}

}  // namespace

KerasGraph::Values KerasGraph::dense(const KerasLayer& layer, const KerasValue& x) {
  check_keras_keys(layer, {"units", "activation", "use_bias"});
  const bool has_bias = keras_flag(layer.config, "use_bias", true);
  const auto found = take(has_bias ? std::vector<std::string>{"kernel", "bias"} : std::vector<std::string>{"kernel"});
  const std::int64_t units = layer.config.at("units").size();
  expect(layer, "kernel", found[0], {width(layer, x), units});
  std::string y = node("MatMul", {x.name, constant("kernel", found[0])});
  if (has_bias) {
    expect(layer, "bias", found[1], {units});
    y = node("Add", {y, constant("bias", found[1])});
  }
  Shape shape = x.shape;
  shape.back() = units;
  return {{activations_.named(layer.config, "activation").write(*this, y), shape, x.mask, false}};
}

// A layer that computes each step by itself is the same with TimeDistributed and without.
KerasGraph::Values KerasGraph::time_distributed(const KerasLayer& layer, const KerasValue& x) {
  check_keras_keys(layer, {"layer"});
  const KerasLayer inner = inner_of(layer);
  a_sequence(layer, x);
  Values outputs;
  static const std::set<std::string> known = {
      "Dense", "BatchNormalization", "LayerNormalization", "RMSNormalization", "Rescaling", "PReLU", "Dropout"};
  if (inner.kind == "Dropout")
    outputs = {x};
  else if (known.contains(inner.kind) || activations_.of_layer(inner))
    outputs = simple(inner, x);
  else
    layer.config.at("layer").unsupported("is of class " + in_quotes(inner.kind) + "; known are " +
                                         join(known, in_quotes) + " and activations");
  outputs[0].mask = passed_on(x.mask);
  return outputs;
}

KerasGraph::Values KerasGraph::embedding(const KerasLayer& layer, const KerasValue& x) {
  check_keras_keys(layer, {"output_dim", "mask_zero"});
  const KerasWeight table = take({"embeddings"})[0];
  if (table.shape.size() != 2) layer.config.wrong("its table is " + to_string(table.shape) + " and no matrix");
  const std::string tokens = x.is_whole ? x.name : node("Cast", {x.name}, NodeAttributes().integer("to", kTensorI64));
  Shape shape = x.shape;
  shape.push_back(table.shape[1]);
  const std::string mask = keras_flag(layer.config, "mask_zero", false) ? mask_of(x, 0) : "";
  return {{node("Gather", {constant("table", table), tokens}), shape, mask, false}};
}

// Everything is known in inference, so that one factor and one summand of each feature are left.
KerasGraph::Values KerasGraph::batch_normalization(const KerasLayer& layer, const KerasValue& x) {
  const JsonValue& config = layer.config;
  check_keras_keys(layer, {"axis", "epsilon", "center", "scale"});
  last_axis(layer, x);
  const std::int64_t size = width(layer, x);
  const bool center = keras_flag(config, "center", true), scale = keras_flag(config, "scale", true);
  std::vector<std::string> roles = {"moving_mean", "moving_variance"};
  if (center) roles.insert(roles.begin(), "beta");
  if (scale) roles.insert(roles.begin(), "gamma");
  const std::vector<KerasWeight> found = take(roles);
  for (std::size_t i = 0; i < found.size(); ++i) expect(layer, roles[i], found[i], {size});
  const std::vector<float>&mean = found[found.size() - 2].values, &variance = found.back().values;
  KerasWeight factor = scale ? found[0] : of_all(size, 1), shift = center ? found[scale ? 1 : 0] : of_all(size, 0);
  const double epsilon = config.at("epsilon").number();
  for (std::size_t i = 0; i < mean.size(); ++i) {
    const double by = factor.values[i] / std::sqrt(variance[i] + epsilon);
    if (!std::isfinite(by)) config.wrong("has a variance of which no root can be taken");
    factor.values[i] = static_cast<float>(by);
    shift.values[i] = static_cast<float>(shift.values[i] - by * mean[i]);
  }
  const std::string scaled = node("Mul", {constant("factor", factor), x.name});
  return {{node("Add", {scaled, constant("shift", shift)}), x.shape, x.mask, false}};
}

KerasGraph::Values KerasGraph::layer_normalization(const KerasLayer& layer, const KerasValue& x) {
  const JsonValue& config = layer.config;
  check_keras_keys(layer, {"axis", "epsilon", "center", "scale"});
  last_axis(layer, x);
  const std::int64_t size = width(layer, x);
  std::vector<std::string> roles;
  if (keras_flag(config, "scale", true)) roles.push_back("gamma");
  if (keras_flag(config, "center", true)) roles.push_back("beta");
  const std::vector<KerasWeight> found = take(roles);
  for (std::size_t i = 0; i < found.size(); ++i) expect(layer, roles[i], found[i], {size});
  const bool has_gamma = !roles.empty() && roles[0] == "gamma", has_beta = !roles.empty() && roles.back() == "beta";
  std::vector<std::string> inputs = {x.name, constant("gamma", has_gamma ? found[0] : of_all(size, 1))};
  if (has_beta) inputs.push_back(constant("beta", found.back()));
  NodeAttributes attributes;
  attributes.integer("axis", -1).real("epsilon", static_cast<float>(config.at("epsilon").number()));
  return {{node("LayerNormalization", inputs, attributes), x.shape, x.mask, false}};
}

// The mean and the variance are of each feature, or one number of each for all. They stand in the configuration, or
// were taken of data (adapt) and are weights.
KerasGraph::Values KerasGraph::normalization(const KerasLayer& layer, const KerasValue& x) {
  const JsonValue& config = layer.config;
  check_keras_keys(layer, {"axis", "mean", "variance", "invert"});
  const bool is_of_all = config.has("axis") && config.at("axis").is_off();
  if (!is_of_all) last_axis(layer, x);
  const std::int64_t size = width(layer, x);
  std::vector<KerasWeight> found;
  if (config.has("mean") && !config.at("mean").is_null()) {
    for (const char* key : {"mean", "variance"}) {
      const JsonValue value = config.at(key);
      const std::vector<float> numbers =
          value.is_array() ? value.vector() : std::vector{static_cast<float>(value.number())};
      found.push_back({{std::ssize(numbers)}, numbers});
    }
  } else {
    found = take({"mean", "variance", "count"});
    found.pop_back();
  }
  constexpr float kEpsilon = 1e-7f;  // of Keras's backend
  for (KerasWeight& each : found) {
    if (each.values.size() == 1) each = of_all(size, each.values[0]);
    expect(layer, "mean or variance", each, {size});
  }
  for (float& each : found[1].values) each = std::max(std::sqrt(each), kEpsilon);
  if (std::ranges::any_of(found[1].values, [](float each) { return !std::isfinite(each); }))
    config.wrong("has a variance of which no root can be taken");
  const std::string mean = constant("mean", found[0]), deviation = constant("deviation", found[1]);
  const std::string y = keras_flag(config, "invert", false) ? node("Add", {node("Mul", {x.name, deviation}), mean})
                                                            : node("Div", {node("Sub", {x.name, mean}), deviation});
  return {{y, x.shape, mask_behind(layer, x), false}};
}

KerasGraph::Values KerasGraph::rms_normalization(const KerasLayer& layer, const KerasValue& x) {
  check_keras_keys(layer, {"axis", "epsilon"});
  last_axis(layer, x);
  const KerasWeight scale = take({"scale"})[0];
  expect(layer, "scale", scale, {width(layer, x)});
  const auto epsilon = static_cast<float>(layer.config.at("epsilon").number());
  const std::string mean = node("ReduceMean", {node("Mul", {x.name, x.name})},
                                NodeAttributes().integers("axes", {-1}).integer("keepdims", 1));
  const std::string root = node("Sqrt", {node("Add", {mean, floats({}, {epsilon})})});
  return {
      {node("Mul", {node("Div", {x.name, root}), constant("scale", scale)}), x.shape, mask_behind(layer, x), false}};
}

KerasGraph::Values KerasGraph::prelu(const KerasLayer& layer, const KerasValue& x) {
  check_keras_keys(layer, {"shared_axes"});
  const KerasWeight alpha = take({"alpha"})[0];
  if (alpha.shape.size() > x.shape.size())
    layer.config.wrong("its alpha is " + to_string(alpha.shape) + ", of more dims than what it reads");
  return {{node("PRelu", {x.name, constant("alpha", alpha)}), x.shape, x.mask, false}};
}

// A mean over the steps counts those alone that the mask leaves; a maximum counts all.
KerasGraph::Values KerasGraph::pooling(const KerasLayer& layer, const KerasValue& x) {
  check_keras_keys(layer, {"data_format", "keepdims"});
  must_be_off(layer.config, {"keepdims"});
  if (layer.config.has("data_format") && layer.config.at("data_format").text() != "channels_last")
    layer.config.at("data_format").unsupported("must be channels_last");
  a_sequence(layer, x);
  const auto over_time = [&](const char* op, const std::string& value) {
    NodeAttributes attributes;
    attributes.integer("keepdims", 0);
    const bool takes_input = op == std::string("ReduceSum");  // of its axes, at this opset
    if (takes_input) return node(op, {value, integers({1}, {1})}, attributes);
    return node(op, {value}, attributes.integers("axes", {1}));
  };
  std::string y;
  if (layer.kind == "GlobalMaxPooling1D") {
    y = over_time("ReduceMax", x.name);
  } else if (x.mask.empty()) {
    y = over_time("ReduceMean", x.name);
  } else {
    const std::string mask = known_mask(layer, x);
    y = node("Div", {over_time("ReduceSum", kept(mask, x.name)), over_time("ReduceSum", mask)});
  }
  return {{y, {x.shape.back()}, "", false}};
}

// Returns x where the mask is above 0, and 0 elsewhere.
std::string KerasGraph::kept(const std::string& mask, const std::string& x) {
  return node("Where", {node("Greater", {mask, floats({}, {0})}), x, floats({}, {0})});
}

// Returns 1 for the steps of which something differs from a value, and 0 for the others.
std::string KerasGraph::mask_of(const KerasValue& x, float value) {
  std::string& mask = masks_[{x.name, value}];
  if (!mask.empty()) return mask;
  const std::string other = x.is_whole ? integers({}, {static_cast<std::int64_t>(value)}) : floats({}, {value});
  mask = node("Cast", {node("Not", {node("Equal", {x.name, other})})}, NodeAttributes().integer("to", kTensorF32));
  if (x.shape.size() < 2) return mask = node("Unsqueeze", {mask, integers({1}, {-1})});
  return mask = node("ReduceMax", {mask}, NodeAttributes().integers("axes", {-1}).integer("keepdims", 1));
}

KerasGraph::Values KerasGraph::masking(const KerasLayer& layer, const KerasValue& x) {
  check_keras_keys(layer, {"mask_value"});
  a_sequence(layer, x);
  const auto value = layer.config.has("mask_value") ? layer.config.at("mask_value").number() : 0.0;
  const std::string mask = mask_of(x, static_cast<float>(value));
  return {{kept(mask, x.name), x.shape, mask, false}};
}

// Keras 3 writes out how the mask of a later layer is computed: NotEqual of tokens, or NotEqual and Any of features.
KerasGraph::Values KerasGraph::compared(const KerasCall& call) {
  const JsonValue& config = call.layer.config;
  const std::vector<KerasArgument>& of = call.arguments;
  if (call.layer.kind == "NotEqual") {
    if (of.size() != 2 || !of[0].tensor || of[1].tensor)
      config.unsupported("compares other than a tensor and a number");
    const KerasValue& x = value(of[0]);
    compared_[{call.layer.name, call.number}] = {x, static_cast<float>(of[1].number)};
    KerasValue result{"", x.shape, "", false};
    if (x.is_whole) result.mask = mask_of(x, static_cast<float>(of[1].number));
    return {result};
  }
  const auto from =
      of.size() == 1 && of[0].tensor ? compared_.find({of[0].tensor->layer, of[0].tensor->call}) : compared_.end();
  const bool is_last = call.more && call.more->has("axis") ? call.more->at("axis").is_number(-1)
                                                           : config.has("axis") && config.at("axis").is_number(-1);
  must_be_off(config, {"keepdims"});
  if (call.more) must_be_off(*call.more, {"keepdims"});
  if (from == compared_.end() || from->second.first.is_whole || !is_last)
    config.unsupported("is of other than a comparison, or not over the features; only masks can be imported");
  const auto& [x, number] = from->second;
  return {{"", x.shape, mask_of(x, number), false}};
}

KerasGraph::Values KerasGraph::simple(const KerasLayer& layer, const KerasValue& x) {
  const std::string& kind = layer.kind;
  if (kind == "Dense") return dense(layer, x);
  if (kind == "TimeDistributed") return time_distributed(layer, x);
  if (kind == "Embedding") return embedding(layer, x);
  if (kind == "BatchNormalization") return batch_normalization(layer, x);
  if (kind == "LayerNormalization") return layer_normalization(layer, x);
  if (kind == "Normalization") return normalization(layer, x);
  if (kind == "RMSNormalization") return rms_normalization(layer, x);
  if (kind == "PReLU") return prelu(layer, x);
  if (kind == "GlobalAveragePooling1D" || kind == "GlobalMaxPooling1D") return pooling(layer, x);
  if (kind == "Masking") return masking(layer, x);
  if (kind == "Rescaling") {
    check_keras_keys(layer, {"scale", "offset"});
    const auto number = [&](const char* key, double otherwise) {
      return floats({}, {static_cast<float>(layer.config.has(key) ? layer.config.at(key).number() : otherwise)});
    };
    const std::string scaled = node("Mul", {x.name, number("scale", 1)});
    return {{node("Add", {scaled, number("offset", 0)}), x.shape, mask_behind(layer, x), false}};
  }
  if (const auto activation = activations_.of_layer(layer)) {
    if (kind == "Softmax") no_mask(layer, x), last_axis(layer, x);
    return {{activation->write(*this, x.name), x.shape, x.mask, false}};
  }
  return {};
}

}  // namespace rnnc::files
