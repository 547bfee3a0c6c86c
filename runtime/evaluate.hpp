// One value of a function of elements: for constants, which have the bits that running code gives on a CPU with fused
// multiply-add, whatever the CPU at hand.
#pragma once

#include <rnnc/export.hpp>

#include "runtime/functions.hpp"

namespace rnnc::runtime {

/// `operands` holds as many as the function's row asks for. Denormals are flushed.
RNNC_API float evaluate(Function function, const float* operands) noexcept;

}  // namespace rnnc::runtime
