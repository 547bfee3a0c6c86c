// RTNeural's JSON has Keras orders and layouts: kernels [I, G*H], and one array of weights for each layer. AIDA-X adds
// what its plug-ins compute around the network, and an example of input and output.
#include <cmath>
#include <map>

#include "import/audio_models.hpp"
#include "import/file_error.hpp"
#include "import/layer_stack.hpp"

namespace rnnc::files {
namespace {

// Returns the last dim of a shape; the others are batch and time, which are null.
std::int64_t last_dim(const JsonValue& shape) {
  const std::vector<JsonValue> dims = shape.elements();
  if (dims.size() < 2) shape.wrong("must have batch, perhaps time, and features, such as [null, null, 8]");
  for (std::size_t i = 0; i + 1 < dims.size(); ++i)
    if (!dims[i].is_null()) static_cast<void>(dims[i].size());
  return dims.back().size();
}

std::vector<JsonValue> weights_of(const JsonValue& layer, std::size_t least, std::size_t most) {
  const JsonValue weights = layer.at("weights");
  std::vector<JsonValue> found = weights.elements();
  if (found.size() < least || found.size() > most)
    weights.wrong("has " + std::to_string(found.size()) + " arrays; a layer of type " + layer.at("type").text() +
                  " has " + std::to_string(least) + (most > least ? " or " + std::to_string(most) : ""));
  return found;
}

// A layer without an activation has none, as in RTNeural.
void add_activation(LayerStack& stack, const JsonValue& layer) {
  if (!layer.has("activation")) return;
  const JsonValue activation = layer.at("activation");
  const std::string name = activation.text();
  if (name.empty() || name == "linear") return;
  // RTNeural's elu has no alpha in the file and uses 1.
  static const std::map<std::string, std::string> known = {
      {"tanh", ""}, {"relu", ""}, {"sigmoid", ""}, {"softmax", ""}, {"elu", ", 1"}};
  const auto found = known.find(name);
  if (found == known.end())
    activation.unsupported("activation " + in_quotes(name) + " is not known; known are tanh relu sigmoid softmax elu");
  stack.apply(found->first, found->second);
}

void only_tanh(const JsonValue& layer) {
  if (!layer.has("activation")) return;
  const JsonValue activation = layer.at("activation");
  if (const std::string name = activation.text(); !name.empty() && name != "tanh")
    activation.unsupported("activation " + in_quotes(name) + " of a recurrent layer; RTNeural itself computes tanh");
}

void add_dense(LayerStack& stack, const JsonValue& layer) {
  const auto weights = weights_of(layer, 1, 2);
  stack.dense(weights[0].matrix().transposed(), weights.size() > 1 ? weights[1].vector() : std::vector<float>(),
              layer.path());
  add_activation(stack, layer);
}

void add_lstm(LayerStack& stack, const JsonValue& layer) {
  only_tanh(layer);
  const auto weights = weights_of(layer, 2, 3);
  GateWeights gates{"ifgo", weights[0].matrix().transposed(), weights[1].matrix().transposed(), {}, {}};
  if (weights.size() > 2) gates.b = weights[2].vector();
  stack.lstm(gates, layer.path());
}

// Two rows of biases mean Keras's reset_after; one row means that the reset is applied before the product.
void add_gru(LayerStack& stack, const JsonValue& layer) {
  only_tanh(layer);
  const auto weights = weights_of(layer, 3, 3);
  GateWeights gates{"zrn", weights[0].matrix().transposed(), weights[1].matrix().transposed(), {}, {}};
  const bool reset_after = weights[2].is_nested();
  if (reset_after) {
    const Matrix b = weights[2].matrix();
    if (b.rows != 2) weights[2].wrong("must have two rows, of input and recurrent biases");
    gates.b = b.row_range(0, 1).values;
    gates.bu = b.row_range(1, 2).values;
  } else {
    gates.b = weights[2].vector();
  }
  stack.gru(gates, reset_after, layer.path());
}

// Returns a size that Keras writes as a tuple of one.
std::int64_t size_in(const JsonValue& layer, const std::string& key) {
  const JsonValue value = layer.at(key);
  if (!value.is_array()) return value.size();
  const std::vector<JsonValue> sizes = value.elements();
  if (sizes.size() != 1)
    value.unsupported("has " + std::to_string(sizes.size()) + " sizes; a convolution over time has one");
  return sizes[0].size();
}

// A kernel is [steps, inputs of a group, outputs] with the oldest step first, as in Keras with padding causal.
void add_conv1d(LayerStack& stack, const JsonValue& layer) {
  const auto weights = weights_of(layer, 1, 2);
  const std::vector<JsonValue> steps = weights[0].elements();
  const std::int64_t groups = layer.has("groups") ? size_in(layer, "groups") : 1;
  if (const std::int64_t size = size_in(layer, "kernel_size"); size != static_cast<std::int64_t>(steps.size()))
    layer.at("kernel_size")
        .wrong("is " + std::to_string(size) + " but the weights have " + std::to_string(steps.size()) +
               " steps; correct one of them");
  std::vector<Matrix> taps;
  for (const JsonValue& step : steps) {
    taps.push_back(step.matrix().transposed());
    if (taps.back().rows != taps.front().rows || taps.back().columns != taps.front().columns)
      step.wrong("has another size than the first step");
  }
  if (taps.empty()) weights[0].wrong("has no steps");
  const bool depthwise =
      groups > 1 && groups == stack.size() && taps.front().columns == 1 && taps.front().rows == groups;
  if (groups > 1 && !depthwise)
    layer.at("groups").unsupported(
        "convolutions in groups can be imported only with one feature in and one out of each");
  if (depthwise)
    for (Matrix& tap : taps) tap = tap.transposed();
  stack.conv1d(taps, depthwise, weights.size() > 1 ? weights[1].vector() : std::vector<float>(),
               layer.has("dilation") ? size_in(layer, "dilation") : 1, layer.path());
  add_activation(stack, layer);
}

// The weights are gamma, beta, mean and variance of each feature, or the last two of them. Everything is known, so that
// one factor and one summand of each feature are left.
void add_batchnorm(LayerStack& stack, const JsonValue& layer) {
  const auto weights = weights_of(layer, 2, 4);
  if (weights.size() == 3) layer.at("weights").wrong("has 3 arrays; a layer of type batchnorm has 2 or 4");
  const bool affine = weights.size() == 4;
  const std::vector<float> mean = weights[affine ? 2 : 0].vector(), variance = weights[affine ? 3 : 1].vector();
  std::vector<float> factor = affine ? weights[0].vector() : std::vector<float>(mean.size(), 1);
  std::vector<float> shift = affine ? weights[1].vector() : std::vector<float>(mean.size(), 0);
  if (variance.size() != mean.size() || factor.size() != mean.size() || shift.size() != mean.size())
    layer.at("weights").wrong("has arrays of different lengths");
  const double epsilon = layer.at("epsilon").number();
  for (std::size_t i = 0; i < mean.size(); ++i) {
    const double by = factor[i] / std::sqrt(variance[i] + epsilon);
    if (!std::isfinite(by)) layer.at("weights").wrong("has a variance of which no root can be taken");
    factor[i] = static_cast<float>(by);
    shift[i] = static_cast<float>(shift[i] - by * mean[i]);
  }
  stack.scale(factor, shift, layer.path());
  add_activation(stack, layer);
}

void add_layer(LayerStack& stack, const JsonValue& layer) {
  const std::string type = layer.at("type").text();
  std::set<std::string> keys = {"type", "activation", "shape", "weights", "name"};
  if (type == "conv1d") keys.insert({"kernel_size", "dilation", "groups"});
  if (type == "batchnorm") keys.insert("epsilon");
  layer.only(keys);
  if (type == "dense" || type == "time-distributed-dense") {
    add_dense(stack, layer);
  } else if (type == "lstm") {
    add_lstm(stack, layer);
  } else if (type == "gru") {
    add_gru(stack, layer);
  } else if (type == "activation") {
    static_cast<void>(weights_of(layer, 0, 0));
    add_activation(stack, layer);
  } else if (type == "prelu") {
    const JsonValue slopes = weights_of(layer, 1, 1)[0];
    stack.prelu(slopes.is_nested() ? slopes.matrix().values : slopes.vector(), layer.path());
  } else if (type == "conv1d") {
    add_conv1d(stack, layer);
  } else if (type == "batchnorm") {
    add_batchnorm(stack, layer);
  } else {
    layer.at("type").unsupported(
        "layers of type " + in_quotes(type) +
        " cannot be imported; known are dense time-distributed-dense lstm gru conv1d batchnorm activation prelu");
  }
  if (const std::int64_t size = last_dim(layer.at("shape")); size != stack.size())
    layer.at("shape").wrong("ends in " + std::to_string(size) + " but the weights give " +
                            std::to_string(stack.size()) + " features; correct the shape or save the model again");
}

// Returns the factor of a gain in dB, which is 0 from -90 on down, as in AIDA-X.
float factor_of(const JsonValue& decibels) {
  const double value = decibels.number();
  return value > -90 ? static_cast<float>(std::pow(10.0, value / 20)) : 0.0f;
}

// The example holds the first feature of each step; the others, knobs of the plug-in, are 0 there.
void read_example(const JsonValue& root, std::int64_t inputs, std::int64_t outputs, Imported& imported) {
  if (!root.has("input_batch") && !root.has("output_batch")) return;
  const std::vector<float> x = root.at("input_batch").vector(), y = root.at("output_batch").vector();
  if (outputs != 1) root.at("output_batch").unsupported("belongs to a model of one output, but this one has several");
  if (x.size() != y.size())
    root.at("output_batch")
        .wrong("has " + std::to_string(y.size()) + " numbers but input_batch has " + std::to_string(x.size()) +
               "; there is one for each step");
  const auto steps = static_cast<std::int64_t>(x.size());
  std::vector<float> rows(x.size() * static_cast<std::size_t>(inputs));
  for (std::size_t t = 0; t < x.size(); ++t) rows[t * static_cast<std::size_t>(inputs)] = x[t];
  imported.example = {{"x", Tensor::from_f32({steps, 1, inputs}, rows)}, {"y", Tensor::from_f32({steps, 1, 1}, y)}};
}

}  // namespace

Imported import_rtneural(const JsonValue& root) {
  root.only_of_meaning({"in_shape", "layers", "in_skip", "in_gain", "out_gain", "input_batch", "output_batch"});
  const std::vector<JsonValue> layers = root.at("layers").elements();
  std::size_t recurrent = 0;
  for (const JsonValue& layer : layers) {
    const std::string type = layer.at("type").text();
    recurrent += type == "lstm" || type == "gru";
  }
  if (recurrent == 0) root.at("layers").unsupported("there is no lstm and no gru among the layers");
  const std::int64_t inputs = last_dim(root.at("in_shape"));
  LayerStack stack("model", "from an RTNeural file", inputs, recurrent, root.file());
  // y = out_gain * (net(in_gain * x) + in_gain * x), the last summand where in_skip is 1: what both of AIDA-X's
  // plug-ins compute. Gains and skips are of the first feature.
  const auto is_given = [&](const char* key) { return root.has(key) && !root.at(key).is_null(); };
  if (is_given("in_gain")) stack.input_gain(factor_of(root.at("in_gain")));
  for (const JsonValue& layer : layers) add_layer(stack, layer);
  if (is_given("in_skip") && root.at("in_skip").flag()) stack.add_input("in_skip");
  if (is_given("out_gain")) stack.output_gain(factor_of(root.at("out_gain")));
  Imported imported = stack.build();
  read_example(root, inputs, stack.size(), imported);
  return imported;
}

}  // namespace rnnc::files
