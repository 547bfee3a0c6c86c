// This class finds the tensors of an ONNX graph that are known before it runs: initializers, constants, and tensors
// that follow from them by operators that only move elements.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "import/onnx/attributes.hpp"
#include "import/onnx/graph.hpp"

namespace rnnc::files {

class OnnxConstants {
 public:
  /// `given` has the values of graph inputs.
  OnnxConstants(const OnnxGraph& graph, const TensorMap& given, const FileContent& content, std::string_view file,
                const FileLimits& limits, OnnxFiles& beside);

  /// Returns nullptr if the value is not known before the graph runs.
  const TensorView* find(const std::string& name);

  /// Makes the outputs of `node` constants if its operator can be folded and its inputs are constants. Throws Refusal.
  bool fold(const OnnxNode& node);

  /// Makes `tensor` the constant `name`.
  void put(const std::string& name, TensorView tensor) { known_[name] = std::move(tensor); }

  /// Reads a TensorProto. Throws Refusal.
  TensorView parse(std::string_view tensor) const;

  /// Repeats `data` along its dims of size 1, and along the leading dims that it lacks. Throws Refusal, also if the
  /// result would be larger than the file.
  TensorView spread(const OnnxAttributes& attributes, const TensorView& data, const Shape& shape) const;

  /// Forgets the inputs of `node` that no other node needs.
  void done_with(const OnnxNode& node);

  /// Tells whether no node that is still to be read, and no output, needs a name.
  bool is_done(const std::string& name) const;

  /// Returns the whole numbers of a constant; nullopt if it is no such constant.
  std::optional<std::vector<std::int64_t>> integers(const std::string& name);
  /// Returns the elements of a tensor of int64, int32 or truth values.
  static std::vector<std::int64_t> integers_of(const TensorView& tensor);

  /// Takes the value that is given for a graph input away from the constants: it begins a state.
  void hide(const std::string& name) { hidden_.insert(name); }

  /// Makes the initializers of a graph within this one known.
  void enter(const OnnxGraph& graph) { inner_.push_back(&graph); }

  /// Returns the most bytes that a constant made of others may have.
  std::size_t most_bytes() const;

 private:
  TensorView evaluate(const OnnxNode& node, const std::vector<const TensorView*>& inputs);
  TensorView constant(OnnxAttributes& attributes);
  TensorView slice(OnnxAttributes& attributes, const TensorView& data);
  void count_uses(const OnnxGraph& graph);

  const OnnxGraph& graph_;
  std::vector<const OnnxGraph*> inner_;
  std::set<std::string> hidden_;
  const TensorMap& given_;
  const FileContent& content_;
  std::string_view file_;
  const FileLimits& limits_;
  OnnxFiles& beside_;
  std::map<std::string, TensorView> known_;
  std::map<std::string, std::size_t> uses_;  // by nodes that are not read yet, and by the graph
};

/// Returns `axis` of a tensor of `rank` dims as an index; negative axes count from the end. Throws Refusal.
std::size_t onnx_axis(const OnnxAttributes& attributes, std::int64_t axis, std::size_t rank);

/// Returns the axes of Squeeze and Unsqueeze, which are an attribute until opset 12 and an input since; nullopt if
/// there are none.
std::optional<std::vector<std::int64_t>> onnx_axes(OnnxAttributes& attributes, OnnxConstants& constants);

}  // namespace rnnc::files
