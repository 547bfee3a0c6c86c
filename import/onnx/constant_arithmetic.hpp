// Arithmetic of constants: what exporters compute of weights before the model runs is computed once, in double
// precision.
#pragma once

#include <string_view>

#include "import/onnx/constants.hpp"

namespace rnnc::files {

/// Makes the output of `node` a constant if its operator is arithmetic of floats or a cast, and its inputs are
/// constants; returns whether it is so. Throws Refusal.
bool fold_arithmetic(const OnnxNode& node, std::string_view file, OnnxConstants& constants);

}  // namespace rnnc::files
