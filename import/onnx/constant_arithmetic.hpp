// Arithmetic of constants: what exporters compute of weights before the model runs is computed once, in double
// precision.
#pragma once

#include <string_view>

#include "import/onnx/constants.hpp"

namespace rnnc::files {

/// Tells whether elements are floats.
bool is_real(ElementType type);

/// Returns the elements, of any type, as doubles.
std::vector<double> doubles_of(const TensorView& tensor);

/// Makes the output of `node` a constant if its operator is arithmetic of floats or a cast, and its inputs are
/// constants; returns whether it is so. Throws Refusal.
bool fold_arithmetic(const OnnxNode& node, std::string_view file, OnnxConstants& constants);

}  // namespace rnnc::files
