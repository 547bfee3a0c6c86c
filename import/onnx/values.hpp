// Values of an ONNX graph that depend on its input, as expressions of a network, and the operators between recurrent
// nodes.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "import/onnx/constants.hpp"

namespace rnnc::files {

/// What each dimension is: T time, B batch, D direction, F features, 1 of size one. ONNX moves them; a network has no
/// place for T, B and D, so moving them changes this text only.
struct OnnxValue {
  std::string axes;
  std::vector<std::string> parts;  // an expression for each direction
  std::int64_t size = 0;           // of F

  std::string joined() const;  // the features of all directions side by side
};

/// The text of a network while it grows.
struct NetworkText {
  std::string inputs, params, statements, cells;
  TensorMap weights;
  std::set<std::string> names;
  bool ragged = false;  // the graph tells lengths, behind which its sequences have zeros

  /// A name that nothing else has, made from `wish`.
  std::string fresh(const std::string& wish);
  std::string param(const std::string& wish, Tensor tensor);
  std::string let(const std::string& wish, const std::string& expression);
};

class OnnxShapes;

/// The value of a node that is neither recurrent nor constant. Throws Refusal where the operator is unknown.
OnnxValue evaluate_glue(const OnnxNode& node, const std::map<std::string, OnnxValue>& values, OnnxConstants& constants,
                        const OnnxShapes& shapes, NetworkText& text, std::string_view file);

}  // namespace rnnc::files
