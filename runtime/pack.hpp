// Weights as files hold them into the block that kernels read.
#pragma once

#include <rnnc/export.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

#include "runtime/aligned_buffer.hpp"
#include "runtime/artifact.hpp"

namespace rnnc::runtime {

/// Checks every tensor against the description and packs them all.
/// Errors: InvalidData (missing, left over, or of a type that is no float), ShapeMismatch.
RNNC_API Result<AlignedBuffer> pack_weights(const Description& description, const TensorMap& weights);

}  // namespace rnnc::runtime
