// This class follows the shapes that a graph computes when it runs, and the constants that the graph makes of them:
// exporters write initial states of zeros as ConstantOfShape or Expand of the batch size, which the graph reads from
// its input.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "import/onnx/values.hpp"

namespace rnnc::files {

struct OnnxDim {
  char axis = 0;  // T or B, which are known when the model runs; 0 for a number
  std::int64_t size = 0;
};

struct OnnxShape {
  std::vector<OnnxDim> dims;
  bool is_scalar = false;  // one dim, taken out of a shape
};

class OnnxShapes {
 public:
  OnnxShapes(OnnxConstants& constants, std::string_view file) : constants_(constants), file_(file) {}

  /// Tells whether `node` computes a shape, or a constant from one; the value is then known here, or among the
  /// constants. A constant with the batch among its dims has size 1 in that dim, since all its rows are equal. Throws
  /// Refusal.
  bool evaluate(const OnnxNode& node, const std::map<std::string, OnnxValue>& values);

  /// Returns nullptr for a value that is no shape.
  const OnnxShape* find(const std::string& name) const;

 private:
  OnnxShape shape(const OnnxAttributes& attributes, std::size_t input) const;
  OnnxShape concat(OnnxAttributes& attributes) const;
  OnnxShape gather(OnnxAttributes& attributes) const;
  OnnxShape slice(OnnxAttributes& attributes) const;
  OnnxShape change_rank(OnnxAttributes& attributes) const;
  TensorView filled(OnnxAttributes& attributes) const;
  TensorView expanded(OnnxAttributes& attributes) const;

  OnnxConstants& constants_;
  std::string_view file_;
  std::map<std::string, OnnxShape> shapes_;
};

}  // namespace rnnc::files
