// Weights as files hold them become the packed block that kernels read.
#pragma once

#include <map>
#include <string>

#include <rnnc/export.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

#include "runtime/aligned_buffer.hpp"
#include "runtime/artifact.hpp"

namespace rnnc::runtime {

/// Tensors by the names of parameters. The owner of a tensor keeps it alive.
using TensorRefs = std::map<std::string, const Tensor*>;
RNNC_API TensorRefs refs_to(const TensorMap& tensors);

/// Checks that every parameter of the description has a tensor of its shape and that no tensor is left over.
/// Errors: InvalidData (missing, left over, or not a float type), ShapeMismatch.
RNNC_API Result<void> check_weights(const Description& description, const TensorRefs& weights);

/// Checks the tensors and packs all of them. Errors: those of check_weights.
RNNC_API Result<AlignedBuffer> pack_weights(const Description& description, const TensorRefs& weights);

}  // namespace rnnc::runtime
