// Weights as files hold them become the packed block that kernels read.
#pragma once

#include "runtime/aligned_buffer.hpp"
#include "runtime/check_weights.hpp"

namespace rnnc::runtime {

/// Checks the tensors and packs all of them into `block`, which is empty, or what an earlier call of this description
/// has left: fresh memory of a large cell costs more than the packing. Errors: those of check_weights.
RNNC_API Result<void> pack_weights(const Description& description, const TensorRefs& weights, AlignedBuffer& block);

}  // namespace rnnc::runtime
