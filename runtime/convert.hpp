// Elements of any type, at any address, become f32. Weights are converted here once, before they are packed.
#pragma once

#include <cstddef>

#include <rnnc/tensor.hpp>

namespace rnnc {

/// Writes `count` elements of `type`, little-endian at `from` (any alignment), to `to`.
///
/// Numerics  F16, BF16 exact, the payload of a NaN too; F64, integers to nearest even; Bool: 0 or 1
void convert_to_f32(ElementType type, const std::byte* from, std::size_t count, float* to) noexcept;

}  // namespace rnnc
