// This class translates the operators between recurrent nodes. Its members are in glue.cpp (functions and products) and
// moves.cpp (operators that move, take and join dims).
#pragma once

#include <functional>

#include "import/onnx/shapes.hpp"

namespace rnnc::files {

/// Translates one node. Throws Refusal.
class Glue {
 public:
  Glue(const OnnxNode& node, const std::map<std::string, OnnxValue>& values, OnnxConstants& constants,
       const OnnxShapes& shapes, NetworkText& text, std::string_view file)
      : attributes_(node, file), node_(node), values_(values), constants_(constants), shapes_(shapes), text_(text) {}

  OnnxValue evaluate();

 private:
  const OnnxValue* find(std::size_t input) const {
    const auto found = values_.find(node_.input(input));
    return found == values_.end() ? nullptr : &found->second;
  }
  const OnnxValue& value(std::size_t input) {
    if (const OnnxValue* found = find(input)) return *found;
    attributes_.unsupported("its input " + std::to_string(input) + " must depend on the model's input");
  }
  const TensorView& constant(std::size_t input) {
    const TensorView* found = constants_.find(node_.input(input));
    if (found == nullptr) attributes_.unsupported("its input " + std::to_string(input) + " must be a constant");
    if (found->type != ElementType::F32 && found->type != ElementType::F64 && found->type != ElementType::F16)
      attributes_.unsupported("its input " + std::to_string(input) + " must be of floats");
    return *found;
  }

  OnnxValue each(const OnnxValue& value, const std::function<std::string(const std::string&)>& expression);
  OnnxValue function();
  OnnxValue binary();
  OnnxValue matmul();
  OnnxValue gemm();
  OnnxValue transpose();
  OnnxValue squeeze();
  OnnxValue unsqueeze();
  OnnxValue reshape();
  OnnxValue concat();
  OnnxValue softmax();
  OnnxValue log_softmax();
  OnnxValue power();
  OnnxValue reduce_features(const OnnxValue& x, const std::string& function);
  OnnxValue layer_norm();
  OnnxValue gather();
  OnnxValue lookup();
  OnnxValue slice();
  OnnxValue reduce();
  OnnxValue flatten();
  OnnxValue cast();
  OnnxValue join_directions(OnnxValue value);
  void over_time(OnnxValue& value, const std::string& function);
  void needs_features(const OnnxValue& x, std::int64_t axis);
  std::string operand(const TensorView& tensor, const OnnxValue& beside);
  OnnxValue product(const OnnxValue& x, Tensor W, const std::string& added);
  Tensor kernel(const OnnxValue& x, bool turned);

  OnnxAttributes attributes_;
  const OnnxNode& node_;
  const std::map<std::string, OnnxValue>& values_;
  OnnxConstants& constants_;
  const OnnxShapes& shapes_;
  NetworkText& text_;
};

}  // namespace rnnc::files
