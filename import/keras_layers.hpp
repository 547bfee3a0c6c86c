// The layers of a model of Keras that run one behind the other become a list, with what the JSON says of each.
#pragma once

#include <string>
#include <vector>

#include "import/json_value.hpp"

namespace rnnc::files {

struct KerasLayer {
  std::string kind;  // Keras's class
  std::string name;
  JsonValue config;
};

/// Returns the layer in an entry with class_name and config.
KerasLayer keras_layer(const JsonValue& entry);

/// Returns the layers behind the input in their order. Throws Refusal where a layer reads anything but the layer
/// before.
std::vector<KerasLayer> keras_chain(const JsonValue& root);

/// Checks that the layer's config has no keys but these and those that matter in training alone. A key that is not
/// known may be null or false.
void check_keras_keys(const KerasLayer& layer, const std::set<std::string>& keys);

}  // namespace rnnc::files
