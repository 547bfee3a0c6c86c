// Tensors of an ONNX graph that are known before it runs: initializers, constants, and what follows from them by operators that
// only move elements.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "import/onnx_attributes.hpp"
#include "import/onnx_graph.hpp"

namespace rnnc::files {

class OnnxConstants {
 public:
  /// `given` are values of graph inputs.
  OnnxConstants(const OnnxGraph& graph, const TensorMap& given, std::int64_t opset, std::string_view file,
                const FileLimits& limits)
      : graph_(graph), given_(given), opset_(opset), file_(file), limits_(limits) {}

  /// nullptr where it is not known before the graph runs.
  const Tensor* find(const std::string& name);

  /// Makes the outputs of `node` constants where it is an operator that folds and its inputs are. Throws Refusal.
  bool fold(const OnnxNode& node);

  /// Whole numbers of a constant; nullopt where it is none.
  std::optional<std::vector<std::int64_t>> integers(const std::string& name);

 private:
  Tensor evaluate(const OnnxNode& node, const std::vector<const Tensor*>& inputs);
  Tensor constant(OnnxAttributes& attributes);
  Tensor slice(OnnxAttributes& attributes, const Tensor& data);

  const OnnxGraph& graph_;
  const TensorMap& given_;
  std::int64_t opset_;
  std::string_view file_;
  const FileLimits& limits_;
  std::map<std::string, Tensor> known_;
};

/// `axis` of a tensor of `rank` dims; negative ones count from the end. Throws Refusal.
std::size_t onnx_axis(const OnnxAttributes& attributes, std::int64_t axis, std::size_t rank);

/// axes of Squeeze and Unsqueeze: an attribute until opset 12, an input since. nullopt where there are none.
std::optional<std::vector<std::int64_t>> onnx_axes(OnnxAttributes& attributes, OnnxConstants& constants);

}  // namespace rnnc::files
