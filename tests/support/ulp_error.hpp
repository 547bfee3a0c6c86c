// This function tells how far an f32 result is from the exact one, which is given in double.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace rnnc::test {

/// The operand that code with denormals flushed sees.
inline float flushed(float x) { return std::fabs(x) < 0x1p-126f ? std::copysign(0.f, x) : x; }

/// |got - exact| in units in the last place of an f32 near `exact`. A denormal result counts as zero, and an exact one
/// below the normal range may be 0; a finite one beyond the largest float may be infinite. Infinite where only one is
/// NaN, or where `exact` is infinite and `got` is not the same infinity.
inline double ulp_error(float got, double exact) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (std::isnan(exact) || std::isnan(got)) return std::isnan(exact) == std::isnan(got) ? 0 : kInfinity;
  if (std::isinf(exact)) return static_cast<double>(got) == exact ? 0 : kInfinity;
  got = flushed(got);
  if (got == 0 && std::fabs(exact) < 0x1p-126) return 0;
  const double limit = 0x1p128;
  const double value = std::isinf(got) ? std::copysign(limit, got) : static_cast<double>(got);
  const int exponent = static_cast<int>(std::bit_cast<std::uint64_t>(exact) >> 52 & 0x7ff) - 1023;
  const double ulp = std::bit_cast<double>(static_cast<std::uint64_t>(std::max(exponent - 23, -149) + 1023) << 52);
  return std::fabs(value - std::clamp(exact, -limit, limit)) / ulp;
}

}  // namespace rnnc::test
