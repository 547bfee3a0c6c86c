// Operations of portable programs on integers. They are the same for all instruction sets.
#pragma once

#include "runtime/portable_kernels.hpp"

namespace rnnc::runtime {

/// Runs an operation of kind Quantize, which writes bytes: the digits of four elements lie together, all high digits
/// before all low ones. A high digit of -128 marks an element that is NaN or out of range.
void quantize(const PortableOp& op, const PortableRows& rows) noexcept;

/// Runs an operation of kind IntegerProduct.
void integer_product(const PortableOp& op, const PortableRows& rows) noexcept;

}  // namespace rnnc::runtime
