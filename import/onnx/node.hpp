// One recurrent node of an ONNX model, at any place in it, becomes a model of its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "import/onnx/graph.hpp"

namespace rnnc::files {

/// Returns names that tell the model's recurrent nodes apart: their own, or those of their first outputs if names are
/// missing or shared.
std::vector<std::string> recurrent_nodes(const OnnxModel& model);

/// Returns the node of that name with the nodes that compute its weights. Its X is the graph input, as are its initial
/// states and sequence_lens if they are no constants; its outputs are the graph's. Throws Refusal if there is no such
/// node.
OnnxModel extract_node(const OnnxModel& model, const std::string& name, std::string_view file);

}  // namespace rnnc::files
