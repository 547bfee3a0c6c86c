// Nodes are named after the layers of the program that made the file, as far as exporters say which these were: in the
// scopes of PyTorch's exporters ("/encoder/rnn/LSTM", or a list of them in the metadata), and in TensorFlow's names.
#pragma once

#include <string>
#include <vector>

#include "import/onnx/graph.hpp"

namespace rnnc::files {

class LayerNames {
 public:
  explicit LayerNames(const OnnxModel& model);

  /// Returns the name of the layer that a node belongs to; "" where the file names none. It need not be an identifier,
  /// and several nodes may have one layer.
  std::string of(const OnnxNode& node) const;

 private:
  bool are_given_;                   // the names of nodes are those of layers
  std::vector<std::string> common_;  // the layers around all nodes that are in a layer
};

}  // namespace rnnc::files
