// This file converts elements of every type to f32. The two half precisions are widened with integer SIMD; the other
// types are plain loops, which every compiler vectorises.
#include "runtime/convert.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <xsimd/xsimd.hpp>

namespace rnnc {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are used as they lie in the file");

using Words = xsimd::batch<std::uint32_t>;
using Floats = xsimd::batch<float>;

constexpr std::size_t kLanes = Words::size;

Words word(std::uint32_t value) { return Words(value); }

/// Each lane of `half` holds a bf16 in its low half and zeros above. Returns the bits of the f32.
struct WidenBf16 {
  Words operator()(const Words& half) const { return half << 16; }
};

/// Widens IEEE binary16: sign 1, exponent 5 (bias 15), fraction 10. The f32 has exponent 8 (bias 127), fraction 23.
struct WidenF16 {
  Words operator()(const Words& half) const {
    const Words sign = (half & word(0x8000)) << 16;
    const Words magnitude = (half & word(0x7fff)) << 13;  // fraction in place, exponent too small by the biases' 112
    const Words normal = magnitude + word(112u << 23);
    const Words special = magnitude + word(224u << 23);  // infinity and NaN: exponent 31 becomes 255
    // A subnormal is fraction * 2^-24. The fraction of a number with exponent -14 stands for that value plus 2^-14; the
    // subtraction removes 2^-14 exactly, and no f32 subnormal is needed on the way.
    const Words one = word(113u << 23);
    const Words subnormal = std::bit_cast<Words>(std::bit_cast<Floats>(magnitude + one) - std::bit_cast<Floats>(one));
    const Words finite = xsimd::select(magnitude < word(1u << 23), subnormal, normal);
    return sign | xsimd::select(magnitude < word(31u << 23), finite, special);
  }
};

/// Each lane is loaded alone: xsimd 8 has no load that widens at any address, and its zip_lo and zip_hi are wrong for
/// AVX.
Words load_halves(const std::byte* from) {
  std::uint16_t halves[kLanes];
  std::uint32_t words[kLanes];
  std::memcpy(halves, from, sizeof halves);
  for (std::size_t i = 0; i < kLanes; ++i) words[i] = halves[i];
  return Words::load_unaligned(words);
}

template <class Widen>
void widen_all(const std::byte* from, std::size_t count, float* to, const Widen& widen) {
  for (; count >= kLanes; count -= kLanes, from += 2 * kLanes, to += kLanes) {
    std::bit_cast<Floats>(widen(load_halves(from))).store_unaligned(to);
  }
  if (count == 0) return;
  std::byte last[2 * kLanes] = {};
  float widened[kLanes];
  std::memcpy(last, from, 2 * count);
  std::bit_cast<Floats>(widen(load_halves(last))).store_unaligned(widened);
  std::memcpy(to, widened, sizeof(float) * count);
}

template <class T>
void cast_all(const std::byte* from, std::size_t count, float* to) {
  for (std::size_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, from + i * sizeof(T), sizeof(T));
    to[i] = static_cast<float>(value);
  }
}

void bool_all(const std::byte* from, std::size_t count, float* to) {
  for (std::size_t i = 0; i < count; ++i) to[i] = from[i] == std::byte{0} ? 0.0f : 1.0f;
}

}  // namespace

void convert_to_f32(ElementType type, const std::byte* from, std::size_t count, float* to) noexcept {
  switch (type) {
    case ElementType::F64: return cast_all<double>(from, count, to);
    case ElementType::F32:
      if (count > 0) std::memcpy(to, from, count * sizeof(float));
      return;
    case ElementType::F16: return widen_all(from, count, to, WidenF16{});
    case ElementType::BF16: return widen_all(from, count, to, WidenBf16{});
    case ElementType::I64: return cast_all<std::int64_t>(from, count, to);
    case ElementType::I32: return cast_all<std::int32_t>(from, count, to);
    case ElementType::I16: return cast_all<std::int16_t>(from, count, to);
    case ElementType::I8: return cast_all<std::int8_t>(from, count, to);
    case ElementType::U64: return cast_all<std::uint64_t>(from, count, to);
    case ElementType::U32: return cast_all<std::uint32_t>(from, count, to);
    case ElementType::U16: return cast_all<std::uint16_t>(from, count, to);
    case ElementType::U8: return cast_all<std::uint8_t>(from, count, to);
    case ElementType::Bool: return bool_all(from, count, to);
  }
}

}  // namespace rnnc
