// Keras's activations become functions of the language.
#pragma once

#include <string>
#include <string_view>

#include "import/keras_layers.hpp"

namespace rnnc::files {

struct Activation {
  std::string function;  // "" for none
  std::string more;      // further operands: ", 0.2"

  std::string apply(const std::string& operand) const {
    return function.empty() ? operand : function + "(" + operand + more + ")";
  }
};

/// Replaces each call of `function` in a text by the activation.
std::string replace_calls(std::string text, const std::string& function, const Activation& activation);

/// Writes a number as the language has it.
std::string text_of(double number);

class KerasActivations {
 public:
  /// `version` is that of the Keras that wrote the file: hard_sigmoid is another function since version 3.
  explicit KerasActivations(std::string_view version) : is_third_(version.starts_with("3")) {}

  /// Returns the activation that a key of a layer names; none where the key is missing or null. Throws Refusal.
  Activation named(const JsonValue& config, const std::string& key) const;

  /// Returns the activation that is a layer of its own. Throws Refusal.
  Activation of_layer(const KerasLayer& layer) const;

  static Activation plain(const std::string& function) { return {function, ""}; }

 private:
  bool is_third_;
};

}  // namespace rnnc::files
