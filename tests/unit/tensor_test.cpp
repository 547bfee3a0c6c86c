// These tests compare Tensor and the conversions to f32 with formulas written out here.
#include <rnnc/tensor.hpp>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "runtime/convert.hpp"
#include "tests/support/catch.hpp"

namespace rnnc {
namespace {

/// IEEE binary16 by its definition, in arithmetic instead of bit tricks. NaN by its bits, as arithmetic may quiet it.
std::uint32_t f32_bits_of_f16(std::uint32_t half) {
  const std::uint32_t sign = half >> 15, exponent = half >> 10 & 31, fraction = half & 1023;
  if (exponent == 31) return sign << 31 | 0x7f800000u | fraction << 13;
  const double magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, int(exponent) - 25);
  return std::bit_cast<std::uint32_t>(static_cast<float>(sign ? -magnitude : magnitude));
}

template <class T>
Tensor tensor_of(ElementType type, const std::vector<T>& values) {
  Tensor tensor{type, {static_cast<std::int64_t>(values.size())}, std::vector<std::byte>(values.size() * sizeof(T))};
  if (!values.empty()) std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

std::vector<std::uint16_t> all_halves() {
  std::vector<std::uint16_t> halves(65536);
  for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<std::uint16_t>(i);
  return halves;
}

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST_CASE("every F16 converts exactly") {
  const std::vector<float> values = tensor_of(ElementType::F16, all_halves()).to_f32();
  REQUIRE(values.size() == 65536);
  std::size_t wrong = 0;
  for (std::uint32_t i = 0; i < 65536; ++i) wrong += std::bit_cast<std::uint32_t>(values[i]) != f32_bits_of_f16(i);
  CHECK(wrong == 0);
  CHECK(values[0x3c00] == 1.0f);
  CHECK(values[0x7bff] == 65504.0f);
  CHECK(values[0x0001] == std::ldexp(1.0f, -24));
  CHECK(values[0xfc00] == -kInfinity);
  CHECK(std::signbit(values[0x8000]));
}

TEST_CASE("every BF16 converts exactly") {
  const std::vector<float> values = tensor_of(ElementType::BF16, all_halves()).to_f32();
  REQUIRE(values.size() == 65536);
  std::size_t wrong = 0;
  for (std::uint32_t i = 0; i < 65536; ++i) {
    // A bf16 is the first half of a f32 in memory, which is its last two bytes here.
    const std::uint8_t memory[4] = {0, 0, static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)};
    wrong += std::memcmp(memory, &values[i], 4) != 0;
  }
  CHECK(wrong == 0);
  CHECK(values[0x3f80] == 1.0f);
}

TEST_CASE("conversions read from any address and write no element too many") {
  const ElementType type = GENERATE(ElementType::F16, ElementType::BF16, ElementType::F64, ElementType::I32);
  const std::size_t size = size_bytes(type);
  for (std::size_t count = 0; count < 70; ++count) {
    std::vector<std::byte> aligned(count * size);
    for (std::size_t i = 0; i < aligned.size(); ++i) aligned[i] = static_cast<std::byte>(i * 37 + count);
    std::vector<float> expected(count);
    for (std::size_t i = 0; i < count; ++i) convert_to_f32(type, &aligned[i * size], 1, &expected[i]);
    for (std::size_t shift = 1; shift < 8; shift += 2) {
      // Ends where the heap block ends, so that a read past it is seen.
      std::vector<std::byte> shifted(shift + aligned.size());
      std::copy(aligned.begin(), aligned.end(), shifted.begin() + static_cast<std::ptrdiff_t>(shift));
      std::vector<float> values(count + 1, -77.0f);
      convert_to_f32(type, shifted.data() + shift, count, values.data());
      CHECK((count == 0 || std::memcmp(values.data(), expected.data(), count * sizeof(float)) == 0));
      CHECK(values[count] == -77.0f);
    }
  }
}

TEST_CASE("F64 rounds to the nearest f32, ties to even") {
  const double ulp = std::ldexp(1.0, -23);
  const std::vector<double> wide = {1 + ulp / 2, 1 + 3 * ulp / 2,       1 + ulp / 2 + 1e-15,   1e300,
                                    -1e300,      std::ldexp(1.0, -149), std::ldexp(1.0, -150), -0.0,
                                    std::nan("")};
  const std::vector<float> values = tensor_of(ElementType::F64, wide).to_f32();
  const float step = std::ldexp(1.0f, -23);
  CHECK(values[0] == 1.0f);
  CHECK(values[1] == 1.0f + 2 * step);
  CHECK(values[2] == 1.0f + step);
  CHECK(values[3] == kInfinity);
  CHECK(values[4] == -kInfinity);
  CHECK(values[5] == std::numeric_limits<float>::denorm_min());
  CHECK(values[6] == 0.0f);
  CHECK(std::signbit(values[7]));
  CHECK(std::isnan(values[8]));
}

TEST_CASE("integers round to the nearest f32, ties to even") {
  using F = std::vector<float>;
  const std::int64_t two24 = std::int64_t{1} << 24;
  CHECK(tensor_of<std::int64_t>(ElementType::I64, {two24 + 1, two24 + 3, -two24 - 1, INT64_MIN}).to_f32() ==
        F{16777216.0f, 16777220.0f, -16777216.0f, -9223372036854775808.0f});
  CHECK(tensor_of<std::uint64_t>(ElementType::U64, {UINT64_MAX, 0x8000008000000000u}).to_f32() ==
        F{18446744073709551616.0f, 9223372036854775808.0f});
  CHECK(tensor_of<std::int32_t>(ElementType::I32, {-5, INT32_MAX}).to_f32() == F{-5.0f, 2147483648.0f});
  CHECK(tensor_of<std::uint32_t>(ElementType::U32, {5, UINT32_MAX}).to_f32() == F{5.0f, 4294967296.0f});
  CHECK(tensor_of<std::int16_t>(ElementType::I16, {-32768, 32767}).to_f32() == F{-32768.0f, 32767.0f});
  CHECK(tensor_of<std::uint16_t>(ElementType::U16, {65535}).to_f32() == F{65535.0f});
  CHECK(tensor_of<std::int8_t>(ElementType::I8, {-128, 127}).to_f32() == F{-128.0f, 127.0f});
  CHECK(tensor_of<std::uint8_t>(ElementType::U8, {255}).to_f32() == F{255.0f});
  CHECK(tensor_of<std::uint8_t>(ElementType::Bool, {0, 1, 2}).to_f32() == F{0.0f, 1.0f, 1.0f});
}

TEST_CASE("from_f32 and to_f32 give the values back") {
  const Tensor tensor = Tensor::from_f32({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(tensor.elements() == 6);
  CHECK(tensor.bytes.size() == 24);
  CHECK(tensor.to_f32() == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(Tensor::from_f32({}, {7}).to_f32() == std::vector<float>{7});
  CHECK(Tensor::from_f32({0, 3}, {}).to_f32().empty());
}

TEST_CASE("an empty tensor has no elements however large its other dims") {
  const std::int64_t large = std::int64_t{1} << 40;
  CHECK(Tensor{ElementType::F32, {large, large, 0}, {}}.elements() == 0);
  CHECK(Tensor{}.elements() == 1);
}

TEST_CASE("types and shapes have the names that files give them") {
  CHECK(name(ElementType::BF16) == "BF16");
  CHECK(name(ElementType::Bool) == "BOOL");
  CHECK(size_bytes(ElementType::U64) == 8);
  CHECK(size_bytes(ElementType::F16) == 2);
  CHECK(to_string(Shape{}) == "[]");
  CHECK(to_string(Shape{256, 128}) == "[256,128]");
}

}  // namespace
}  // namespace rnnc
