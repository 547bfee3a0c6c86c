// One recurrent node of an ONNX model, wherever it stands, as a model of its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "import/onnx/graph.hpp"

namespace rnnc::files {

/// What tells the model's recurrent nodes apart: their names, or their first outputs' where names are missing or
/// shared.
std::vector<std::string> recurrent_nodes(const OnnxModel& model);

/// The node of that name with what its weights are made of. Its X is the graph input, as are its initial states and
/// sequence_lens where they are no constants; its outputs are the graph's. Throws Refusal where there is no such node.
OnnxModel extract_node(const OnnxModel& model, const std::string& name, std::string_view file);

}  // namespace rnnc::files
