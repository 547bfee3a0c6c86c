#include "import/keras/activation.hpp"

#include <map>
#include <set>

#include "import/file_error.hpp"

namespace rnnc::files {
namespace {

float number(const JsonValue& config, const char* key, double otherwise) {
  return static_cast<float>(config.has(key) && !config.at(key).is_null() ? config.at(key).number() : otherwise);
}

}  // namespace

std::string KerasActivation::write(GraphWriter& graph, const std::string& x) const {
  NodeAttributes attributes;
  if (alpha) attributes.real("alpha", *alpha);
  if (beta) attributes.real("beta", *beta);
  if (op == "Softmax" || op == "LogSoftmax") attributes.integer("axis", -1);
  const std::string y = op.empty() ? x : graph.node(op, {x}, attributes);
  return most ? graph.node("Min", {y, graph.floats({}, {*most})}) : y;
}

void set_activations(NodeAttributes& attributes, const std::vector<KerasActivation>& activations) {
  std::vector<std::string> names;
  std::vector<float> alphas, betas;
  for (const KerasActivation& each : activations) {
    names.push_back(each.op.empty() ? "Identity" : each.op);
    if (each.alpha) alphas.push_back(*each.alpha);
    if (each.beta) betas.push_back(*each.beta);
  }
  attributes.texts("activations", std::move(names));
  if (!alphas.empty()) attributes.reals("activation_alpha", std::move(alphas));
  if (!betas.empty()) attributes.reals("activation_beta", std::move(betas));
}

KerasActivation KerasActivations::named(const JsonValue& config, const std::string& key) const {
  if (!config.has(key) || config.at(key).is_null()) return {};
  const JsonValue value = config.at(key);
  const std::string name = value.text();
  static const std::map<std::string, KerasActivation> known = {{"linear", {"", {}, {}, {}}},
                                                               {"tanh", {"Tanh", {}, {}, {}}},
                                                               {"sigmoid", {"Sigmoid", {}, {}, {}}},
                                                               {"relu", {"Relu", {}, {}, {}}},
                                                               {"relu6", {"Relu", {}, {}, 6.0f}},
                                                               {"softmax", {"Softmax", {}, {}, {}}},
                                                               {"log_softmax", {"LogSoftmax", {}, {}, {}}},
                                                               {"elu", {"Elu", 1.0f, {}, {}}},
                                                               {"selu", {"Selu", {}, {}, {}}},
                                                               {"mish", {"Mish", {}, {}, {}}},
                                                               {"hard_silu", {"HardSwish", {}, {}, {}}},
                                                               {"hard_swish", {"HardSwish", {}, {}, {}}},
                                                               {"exponential", {"Exp", {}, {}, {}}},
                                                               {"softplus", {"Softplus", {}, {}, {}}},
                                                               {"softsign", {"Softsign", {}, {}, {}}},
                                                               {"swish", {"Swish", {}, {}, {}}},
                                                               {"silu", {"Swish", {}, {}, {}}},
                                                               {"gelu", {"Gelu", {}, {}, {}}}};
  if (name == "hard_sigmoid") return {"HardSigmoid", is_third_ ? static_cast<float>(1.0 / 6) : 0.2f, 0.5f, {}};
  if (name == "leaky_relu") return {"LeakyRelu", 0.2f, {}, {}};
  const auto found = known.find(name);
  if (found == known.end()) value.unsupported("activation " + in_quotes(name) + " is not known");
  return found->second;
}

KerasActivation KerasActivations::of_recurrent(const JsonValue& config, const std::string& key) const {
  const KerasActivation activation = named(config, key);
  static const std::set<std::string> others = {"HardSwish", "LogSoftmax", "Mish", "Selu"};
  if (activation.most || others.contains(activation.op))
    config.at(key).unsupported("activation " + in_quotes(config.at(key).text()) +
                               " cannot be imported in a recurrent layer");
  return activation;
}

std::optional<KerasActivation> KerasActivations::of_layer(const KerasLayer& layer) const {
  const JsonValue& config = layer.config;
  static const std::map<std::string, KerasActivation> functions = {
      {"Absolute", {"Abs", {}, {}, {}}}, {"Exp", {"Exp", {}, {}, {}}},           {"Log", {"Log", {}, {}, {}}},
      {"Negative", {"Neg", {}, {}, {}}}, {"Relu", {"Relu", {}, {}, {}}},         {"Sigmoid", {"Sigmoid", {}, {}, {}}},
      {"Silu", {"Swish", {}, {}, {}}},   {"Softplus", {"Softplus", {}, {}, {}}}, {"Sqrt", {"Sqrt", {}, {}, {}}},
      {"Tanh", {"Tanh", {}, {}, {}}}};
  if (const auto found = functions.find(layer.kind); layer.is_function && found != functions.end()) {
    check_keras_keys(layer, {});
    return found->second;
  }
  if (layer.kind == "Activation") {
    check_keras_keys(layer, {"activation"});
    return named(config, "activation");
  }
  if (layer.kind == "ReLU") {
    check_keras_keys(layer, {"max_value", "negative_slope", "threshold"});
    if (number(config, "threshold", 0) != 0)
      config.at("threshold").unsupported("must be 0; only a ReLU without a threshold can be imported");
    const float slope = number(config, "negative_slope", 0);
    KerasActivation relu =
        slope == 0 ? KerasActivation{"Relu", {}, {}, {}} : KerasActivation{"LeakyRelu", slope, {}, {}};
    if (config.has("max_value") && !config.at("max_value").is_null()) relu.most = number(config, "max_value", 0);
    return relu;
  }
  if (layer.kind == "LeakyReLU") {
    check_keras_keys(layer, {"negative_slope", "alpha"});
    return KerasActivation{
        "LeakyRelu", number(config, config.has("negative_slope") ? "negative_slope" : "alpha", 0.3), {}, {}};
  }
  if (layer.kind == "ELU") {
    check_keras_keys(layer, {"alpha"});
    return KerasActivation{"Elu", number(config, "alpha", 1), {}, {}};
  }
  if (layer.kind != "Softmax") return {};
  check_keras_keys(layer, {"axis"});
  return KerasActivation{"Softmax", {}, {}, {}};
}

}  // namespace rnnc::files
