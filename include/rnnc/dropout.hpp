// Masks for dropout and zoneout: random numbers that depend on a seed and a place alone, and so not on threads, on the
// batch before, or on the order of calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace rnnc {

/// Fills a mask that a network multiplies with a value: each element is 0 with probability `rate`, and else
/// 1 / (1 - rate), so that the mean stays. With `rate` 1 all are 0; it is from 0 to 1.
///
/// Element i is a function of `seed` and of `first` + i: a mask in parts, each with its own `first`, is the mask of the
/// whole.
/// Source    the finalizer of splitmix64, Steele, Lea & Flood 2014; dropout, Srivastava et al. 2014
inline void fill_dropout(std::span<float> mask, float rate, std::uint64_t seed, std::uint64_t first = 0) noexcept {
  const auto mix = [](std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  };
  const std::uint64_t stream = mix(seed + 0x9e3779b97f4a7c15);
  const float kept = rate < 1 ? 1 / (1 - rate) : 0;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    const std::uint64_t drawn = mix(stream + (first + i + 1) * 0x9e3779b97f4a7c15);
    const double unit = static_cast<double>(drawn >> 11) * 0x1p-53;  // [0, 1)
    mask[i] = unit < static_cast<double>(rate) ? 0.0F : kept;
  }
}

}  // namespace rnnc
