// A value of an ONNX graph that depends on the graph's input becomes an expression of a network; the operators between
// recurrent nodes are translated here.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "import/onnx/constants.hpp"

namespace rnnc::files {

/// A value: `axes` has a letter for each dimension, T time, B batch, D direction, F features, 1 for size one. ONNX
/// moves dimensions; a network has no T, B and D, so moving them changes only this text.
struct OnnxValue {
  std::string axes;
  std::vector<std::string> parts;  // an expression for each direction
  std::int64_t size = 0;           // of F

  std::string joined() const;  // the features of all directions side by side
};

/// The text of a network while it is written.
struct NetworkText {
  std::string inputs, params, statements, cells;
  TensorMap weights;
  std::set<std::string> names;
  bool ragged = false;  // the graph tells lengths, behind which its sequences have zeros

  /// Returns a name that no other value has, made from `wish`.
  std::string fresh(const std::string& wish);
  std::string param(const std::string& wish, Tensor tensor);
  std::string let(const std::string& wish, const std::string& expression);
};

class OnnxShapes;

/// Translates a node that is neither recurrent nor constant. Throws Refusal if the operator is unknown.
OnnxValue evaluate_glue(const OnnxNode& node, const std::map<std::string, OnnxValue>& values, OnnxConstants& constants,
                        const OnnxShapes& shapes, NetworkText& text, std::string_view file);

}  // namespace rnnc::files
