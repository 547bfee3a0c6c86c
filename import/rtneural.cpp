// RTNeural's JSON has Keras orders and layouts: kernels [I, G*H], and one array of weights for each layer.
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

void add_activation(LayerStack& stack, const JsonValue& layer) {
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

void add_layer(LayerStack& stack, const JsonValue& layer) {
  layer.only({"type", "activation", "shape", "weights"});
  const std::string type = layer.at("type").text();
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
  } else {
    layer.at("type").unsupported(
        "layers of type " + in_quotes(type) +
        " cannot be imported; known are dense time-distributed-dense lstm gru activation prelu");
  }
  if (const std::int64_t size = last_dim(layer.at("shape")); size != stack.size())
    layer.at("shape").wrong("ends in " + std::to_string(size) + " but the weights give " +
                            std::to_string(stack.size()) + " features; correct the shape or save the model again");
}

}  // namespace

Imported import_rtneural(const JsonValue& root) {
  root.only({"in_shape", "layers"});
  const std::vector<JsonValue> layers = root.at("layers").elements();
  std::size_t recurrent = 0;
  for (const JsonValue& layer : layers) {
    const std::string type = layer.at("type").text();
    recurrent += type == "lstm" || type == "gru";
  }
  if (recurrent == 0) root.at("layers").unsupported("there is no lstm and no gru among the layers");
  LayerStack stack("model", "from an RTNeural file", last_dim(root.at("in_shape")), recurrent, root.file());
  for (const JsonValue& layer : layers) add_layer(stack, layer);
  return stack.build();
}

}  // namespace rnnc::files
