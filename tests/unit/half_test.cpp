// These tests compare rounding to half precisions with exact arithmetic in double precision.
#include "runtime/half.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "runtime/convert.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"

namespace rnnc::test {
namespace {

// A format of `bits` bits of precision whose smallest normal number is 2^lowest and whose largest is `largest`.
struct Format {
  int bits, lowest;
  double largest;
};
constexpr Format kF16 = {11, -14, 65504}, kBf16 = {8, -126, 0x1.fep127};

// Rounds to nearest and even in double precision, which holds every quotient exactly.
double rounded(double value, const Format& format) {
  if (value == 0 || !std::isfinite(value)) return value;
  const int exponent = std::max(std::ilogb(value), format.lowest);
  const double unit = std::ldexp(1.0, exponent - format.bits + 1);
  const double result = std::nearbyint(value / unit) * unit;
  return std::fabs(result) > format.largest ? std::copysign(INFINITY, value) : result;
}

float widened(std::uint16_t half, ElementType type) {
  float wide = 0;
  convert_to_f32(type, reinterpret_cast<const std::byte*>(&half), 1, &wide);
  return wide;
}

void check(float value) {
  const double as_f16 = rounded(value, kF16), as_bf16 = rounded(value, kBf16);
  INFO(value);
  REQUIRE(static_cast<double>(widened(runtime::to_f16(value), ElementType::F16)) == as_f16);
  REQUIRE(static_cast<double>(widened(runtime::to_bf16(value), ElementType::BF16)) == as_bf16);
  REQUIRE(std::signbit(widened(runtime::to_f16(value), ElementType::F16)) == std::signbit(value));
}

}  // namespace

TEST_CASE("every half becomes itself, and what lies between two goes to the nearer, or the even one") {
  for (std::uint32_t bits = 0; bits < 0x7c00; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = widened(half, ElementType::F16);
    REQUIRE(runtime::to_f16(value) == half);
    if (bits == 0x7bff) break;
    const float next = widened(static_cast<std::uint16_t>(bits + 1), ElementType::F16);
    const float middle = (value + next) / 2;
    REQUIRE(runtime::to_f16(middle) == (bits % 2 == 0 ? bits : bits + 1));
    REQUIRE(runtime::to_f16(std::nextafterf(middle, 0)) == bits);
    REQUIRE(runtime::to_f16(std::nextafterf(middle, 1e9f)) == bits + 1);
  }
  CHECK(runtime::to_f16(65519.996f) == 0x7bff);
  CHECK(runtime::to_f16(65520) == 0x7c00);
  CHECK(runtime::to_f16(-1e9f) == 0xfc00);
}

TEST_CASE("numbers of every size are rounded as exact arithmetic does it") {
  Random random(5);
  for (int i = 0; i < 300000; ++i) {
    const auto bits = static_cast<std::uint32_t>(random.below(std::uint64_t{1} << 32));
    float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (std::isnan(value)) {
      REQUIRE(std::isnan(widened(runtime::to_f16(value), ElementType::F16)));
      REQUIRE(std::isnan(widened(runtime::to_bf16(value), ElementType::BF16)));
    } else if (std::fabs(value) >= 0x1p-126f || value == 0) {  // below, bf16 has subnormals that `rounded` lacks
      check(value);
    }
  }
  for (const float value : {0.0f, -0.0f, 1.0f, 0x1p-24f, 0x1p-25f, 0x1.8p-25f, -0x1p-14f, 6.1e-5f, 3e-8f,
                            std::numeric_limits<float>::infinity(), std::numeric_limits<float>::max()})
    check(value);
}

}  // namespace rnnc::test
