// Shapes that a graph computes when it runs, and the constants that it makes of them: exporters write initial states of
// zeros as ConstantOfShape or Expand of the batch size, which they ask the input for.
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

  /// Whether `node` computes a shape, or a constant of one; its value is then known here, or among the constants. A
  /// constant with the batch among its dims has size 1 there, since all its rows are equal. Throws Refusal.
  bool evaluate(const OnnxNode& node, const std::map<std::string, OnnxValue>& values);

  /// nullptr for what is no shape.
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
