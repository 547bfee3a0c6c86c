// Tensors of an ONNX graph that are known before it runs: initializers, constants, and what follows from them by
// operators that only move elements.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "import/onnx/attributes.hpp"
#include "import/onnx/graph.hpp"

namespace rnnc::files {

class OnnxConstants {
 public:
  /// `given` are values of graph inputs.
  OnnxConstants(const OnnxGraph& graph, const TensorMap& given, const FileContent& content, std::string_view file,
                const FileLimits& limits);

  /// nullptr where it is not known before the graph runs.
  const TensorView* find(const std::string& name);

  /// Makes the outputs of `node` constants where it is an operator that folds and its inputs are. Throws Refusal.
  bool fold(const OnnxNode& node);

  /// Makes `tensor` the constant `name`.
  void put(const std::string& name, TensorView tensor) { known_[name] = std::move(tensor); }

  /// A TensorProto. Throws Refusal.
  TensorView parse(std::string_view tensor) const;

  /// `data` repeated along its dims of size 1, and along those that it has not, which come first. Throws Refusal, where
  /// the result would be larger than the file too.
  TensorView spread(const OnnxAttributes& attributes, const TensorView& data, const Shape& shape) const;

  /// Forgets the inputs of `node` that nothing needs any more.
  void done_with(const OnnxNode& node);

  /// Whole numbers of a constant; nullopt where it is none.
  std::optional<std::vector<std::int64_t>> integers(const std::string& name);

 private:
  TensorView evaluate(const OnnxNode& node, const std::vector<const TensorView*>& inputs);
  TensorView constant(OnnxAttributes& attributes);
  TensorView slice(OnnxAttributes& attributes, const TensorView& data);

  const OnnxGraph& graph_;
  const TensorMap& given_;
  const FileContent& content_;
  std::string_view file_;
  const FileLimits& limits_;
  std::map<std::string, TensorView> known_;
  std::map<std::string, std::size_t> uses_;  // by nodes that are still to come, and by the graph
};

/// `axis` of a tensor of `rank` dims; negative ones count from the end. Throws Refusal.
std::size_t onnx_axis(const OnnxAttributes& attributes, std::int64_t axis, std::size_t rank);

/// axes of Squeeze and Unsqueeze: an attribute until opset 12, an input since. nullopt where there are none.
std::optional<std::vector<std::int64_t>> onnx_axes(OnnxAttributes& attributes, OnnxConstants& constants);

}  // namespace rnnc::files
