#include "import/keras_activation.hpp"

#include <charconv>
#include <map>

#include "import/file_error.hpp"

namespace rnnc::files {

std::string text_of(double number) {
  char text[32];
  const auto [end, failure] = std::to_chars(text, text + sizeof text, static_cast<float>(number));
  return {text, end};
}

std::string replace_calls(std::string text, const std::string& function, const Activation& activation) {
  const std::string call = function + "(";
  for (std::size_t at = text.find(call); at != std::string::npos; at = text.find(call, at)) {
    std::size_t end = at + call.size();
    for (int open = 1; open > 0; ++end) open += text[end] == '(' ? 1 : text[end] == ')' ? -1 : 0;
    const std::string operand = text.substr(at + call.size(), end - 1 - at - call.size());
    const std::string by = activation.function.empty() ? "(" + operand + ")" : activation.apply(operand);
    text.replace(at, end - at, by);
    // The operand of tanh or sigmoid in a standard cell calls neither of them, so that the search goes on behind it.
    at += by.size();
  }
  return text;
}

Activation KerasActivations::named(const JsonValue& config, const std::string& key) const {
  if (!config.has(key) || config.at(key).is_null()) return {};
  const JsonValue value = config.at(key);
  const std::string name = value.text();
  static const std::map<std::string, Activation> known = {
      {"linear", {"", ""}},         {"tanh", {"tanh", ""}},         {"sigmoid", {"sigmoid", ""}},
      {"relu", {"relu", ""}},       {"softmax", {"softmax", ""}},   {"elu", {"elu", ", 1"}},
      {"exponential", {"exp", ""}}, {"softplus", {"softplus", ""}}, {"softsign", {"softsign", ""}},
      {"swish", {"silu", ""}},      {"silu", {"silu", ""}},         {"gelu", {"gelu", ""}}};
  if (name == "hard_sigmoid") return {"hard_sigmoid", is_third_ ? ", " + text_of(1.0 / 6) + ", 0.5" : ", 0.2, 0.5"};
  if (name == "leaky_relu") return {"leaky_relu", ", 0.2"};
  const auto found = known.find(name);
  if (found == known.end()) value.unsupported("activation " + in_quotes(name) + " is not known");
  return found->second;
}

Activation KerasActivations::of_layer(const KerasLayer& layer) const {
  const JsonValue& config = layer.config;
  if (layer.kind == "Activation") {
    check_keras_keys(layer, {"activation"});
    return named(config, "activation");
  }
  const auto slope = [&](const char* third, const char* second, double otherwise) {
    const char* key = config.has(third) ? third : second;
    return config.has(key) && !config.at(key).is_null() ? config.at(key).number() : otherwise;
  };
  if (layer.kind == "ReLU") {
    check_keras_keys(layer, {"max_value", "negative_slope", "threshold"});
    if (slope("negative_slope", "negative_slope", 0) != 0 || slope("threshold", "threshold", 0) != 0 ||
        (config.has("max_value") && !config.at("max_value").is_null()))
      config.unsupported("has a bound, a slope or a threshold; only a plain ReLU can be imported");
    return {"relu", ""};
  }
  if (layer.kind == "LeakyReLU") {
    check_keras_keys(layer, {"negative_slope", "alpha"});
    return {"leaky_relu", ", " + text_of(slope("negative_slope", "alpha", 0.3))};
  }
  if (layer.kind == "ELU") {
    check_keras_keys(layer, {"alpha"});
    return {"elu", ", " + text_of(slope("alpha", "alpha", 1))};
  }
  check_keras_keys(layer, {"axis"});
  if (config.has("axis") && config.at("axis").number() != -1) config.at("axis").unsupported("must be -1, the features");
  return {"softmax", ""};
}

}  // namespace rnnc::files
