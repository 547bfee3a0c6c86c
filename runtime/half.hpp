// Numbers of f32 are rounded to the two half precisions, to nearest and even, as hardware and NumPy do it.
#pragma once

#include <bit>
#include <cstdint>

#include "runtime/number_format.hpp"

namespace rnnc::runtime {

/// Returns the bits of the nearest bf16. A NaN stays one, and a number beyond the range becomes infinite.
constexpr std::uint16_t to_bf16(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<std::uint16_t>((bits >> 16) | 0x40);
  return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

/// Returns the bits of the nearest binary16. A NaN stays one, and a number beyond the range becomes infinite. The
/// caller is in the default floating-point environment.
constexpr std::uint16_t to_f16(float value) noexcept {
  constexpr std::uint32_t kInfinity = 0x7c00, kQuietNan = 0x7e00;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000, magnitude = bits & 0x7fffffff;
  const auto with_sign = [sign](std::uint32_t half) { return static_cast<std::uint16_t>(sign | half); };
  if (magnitude > 0x7f800000) return with_sign(kQuietNan);
  if (magnitude >= std::bit_cast<std::uint32_t>(65520.0f)) return with_sign(kInfinity);
  // The last bit of a number in [0.5, 1) is worth 2^-24, like that of a subnormal, so that the sum is rounded there.
  if (magnitude < std::bit_cast<std::uint32_t>(0x1p-14f))
    return with_sign(std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) -
                     std::bit_cast<std::uint32_t>(0.5f));
  const std::uint32_t rebiased = magnitude - (112u << 23);
  return with_sign((rebiased + 0xfff + ((rebiased >> 13) & 1)) >> 13);
}

/// Rounds a number to a half precision and widens it again; every other format leaves it as it is.
float rounded(float value, NumberFormat format) noexcept;

}  // namespace rnnc::runtime
