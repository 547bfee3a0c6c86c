// Weights as files hold them become the packed block that kernels read.
#pragma once

#include "runtime/aligned_buffer.hpp"
#include "runtime/check_weights.hpp"

namespace rnnc::runtime {

/// Checks the tensors and packs all of them. Errors: those of check_weights.
RNNC_API Result<AlignedBuffer> pack_weights(const Description& description, const TensorRefs& weights);

}  // namespace rnnc::runtime
