// A model and its weights become the text of the LLVM IR of the object that compile_object makes of them.
#pragma once

#include <string>

#include <rnnc/ahead.hpp>

namespace rnnc::compiler {

/// Prints the whole module: checks of arguments, the choice of the CPU's code, the mode for denormals, kernels and
/// weights.
///
/// Errors    as `compile_object`
Result<std::string> object_llvm(const Model& model, const TensorMap& weights, const ObjectOptions& options = {});

}  // namespace rnnc::compiler
