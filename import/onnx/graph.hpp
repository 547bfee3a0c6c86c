// An ONNX file becomes structs: the parts of a model, a graph and a node that rnnc reads. A tensor stays in the file
// until it is needed.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <rnnc/tensor.hpp>
#include <rnnc/tensor_files.hpp>
#include "import/tensor_view.hpp"

namespace rnnc::files {

struct OnnxGraph;

struct OnnxAttribute {
  std::string name;
  int type = 0;  // AttributeProto.AttributeType; 0 where the file has none
  float f = 0;
  std::int64_t i = 0;
  std::string s;
  std::vector<float> floats;
  std::vector<std::int64_t> ints;
  std::vector<std::string> strings;
  std::string_view tensor;  // a TensorProto
  std::shared_ptr<const OnnxGraph> graph;
};

struct OnnxNode {
  std::string name, op, domain;
  std::vector<std::string> inputs, outputs;  // "" for one that is left out
  std::map<std::string, OnnxAttribute> attributes;

  std::string describe() const;  // `node "a" (LSTM)`, for messages
  std::string input(std::size_t i) const { return i < inputs.size() ? inputs[i] : ""; }
  std::string output(std::size_t i) const { return i < outputs.size() ? outputs[i] : ""; }
};

struct OnnxGraph {
  std::vector<OnnxNode> nodes;
  std::map<std::string, std::string_view> initializers;   // TensorProtos
  std::map<std::string, std::vector<std::int64_t>> dims;  // of inputs; -1 for a dim without a number
  std::vector<std::string> inputs, outputs;
};

struct OnnxModel {
  OnnxGraph graph;
  std::int64_t opset = 0;  // of the default domain
};

// Both of these throw Refusal.
OnnxModel parse_onnx(std::string_view content, std::string_view file, const FileLimits& limits);
/// Returns a view of `tensor` if its elements lie in the file as they are, and otherwise a copy.
TensorView parse_onnx_tensor(std::string_view tensor, std::string_view file, const FileLimits& limits);

}  // namespace rnnc::files
