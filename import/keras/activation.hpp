// Keras's activations become nodes of ONNX, alone or as attributes of a recurrent node.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import/keras/layers.hpp"
#include "import/onnx/graph_writer.hpp"

namespace rnnc::files {

struct KerasActivation {
  std::string op;                    // of ONNX; "" for none
  std::optional<float> alpha, beta;  // its attributes
  std::optional<float> most;         // a bound of what it gives

  /// Adds the nodes that apply it to a value, and returns the name of what they give.
  std::string write(GraphWriter& graph, const std::string& x) const;
};

/// Adds activations to the attributes of a recurrent node of kOwnDomain.
void set_activations(NodeAttributes& attributes, const std::vector<KerasActivation>& activations);

class KerasActivations {
 public:
  /// `version` is that of the Keras that wrote the file: hard_sigmoid is another function since version 3.
  explicit KerasActivations(std::string_view version) : is_third_(version.starts_with("3")) {}

  /// Returns the activation that a key of a layer names; none where the key is missing or null. Throws Refusal.
  KerasActivation named(const JsonValue& config, const std::string& key) const;

  /// The same for a recurrent layer. Throws Refusal if it cannot be one of a recurrent node.
  KerasActivation of_recurrent(const JsonValue& config, const std::string& key) const;

  /// Returns the activation that is a layer or a function of its own; nothing where the layer is none. A Softmax may
  /// have an axis, which is left to the caller. Throws Refusal.
  std::optional<KerasActivation> of_layer(const KerasLayer& layer) const;

 private:
  bool is_third_;
};

}  // namespace rnnc::files
