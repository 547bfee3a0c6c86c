// A function and the values of its operands become one value, for constants: the result has the bits that running code
// gives on a CPU with fused multiply-add, whatever the CPU of this machine.
#pragma once

#include <rnnc/export.hpp>

#include "runtime/functions.hpp"

namespace rnnc::runtime {

/// Computes a function; `operands` has as many elements as the function's row asks for. Denormals are flushed.
RNNC_API float evaluate(Function function, const float* operands) noexcept;

}  // namespace rnnc::runtime
