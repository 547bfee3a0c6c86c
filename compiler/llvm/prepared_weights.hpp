// Weights become the block that a kernel reads, for code that runs later and perhaps elsewhere: they are packed, and
// the values that depend on parameters only are computed.
#pragma once

#include <rnnc/result.hpp>

#include "compiler/schedule/lower.hpp"
#include "runtime/aligned_buffer.hpp"
#include "runtime/pack.hpp"

namespace rnnc::compiler {

/// Errors: those of pack_weights; Unsupported where the target has fused multiply-adds and this machine has none.
Result<runtime::AlignedBuffer> prepared_weights(const Lowered& lowered, const Target& target,
                                                const runtime::Description& description,
                                                const runtime::TensorRefs& weights);

}  // namespace rnnc::compiler
