// This header defines the formats of numbers in memory: only here does a count of elements become a number of bytes. It
// also has the size of a cache line, on which rows, panels and the memory that threads share begin.
#pragma once

#include <cstdint>

#include <rnnc/weight_format.hpp>

namespace rnnc::runtime {

using NumberFormat = WeightFormat;

inline constexpr NumberFormat kNumberFormats[] = {NumberFormat::F32, NumberFormat::F16,   NumberFormat::BF16,
                                                  NumberFormat::W16, NumberFormat::W8A16, NumberFormat::W8};

/// Inputs, states, outputs and all values between them have this format, and so have weights that no product reads.
/// Products are added up in it, whatever the format of their weights is.
inline constexpr NumberFormat kRowFormat = NumberFormat::F32;

constexpr std::int64_t bytes_of(NumberFormat format, std::int64_t elements) noexcept {
  switch (format) {
    case NumberFormat::F32: return elements * std::int64_t{sizeof(float)};
    case NumberFormat::F16:
    case NumberFormat::BF16:
    case NumberFormat::W16: return elements * std::int64_t{sizeof(std::uint16_t)};
    case NumberFormat::W8A16:
    case NumberFormat::W8: return elements * std::int64_t{sizeof(std::uint8_t)};
  }
  return 0;
}

/// A number of an integer format is `digits` balanced digits of base 255, each within -127 to 127 and in a byte of its
/// own: the high digit first.
constexpr int kDigitBase = 255, kMostDigit = 127, kBitsOfDigit = 8;

/// Returns the digits of a weight: 0 for formats that are no integers.
constexpr int weight_digits(NumberFormat format) noexcept {
  switch (format) {
    case NumberFormat::F32:
    case NumberFormat::F16:
    case NumberFormat::BF16: return 0;
    case NumberFormat::W16: return 2;
    case NumberFormat::W8A16:
    case NumberFormat::W8: return 1;
  }
  return 0;
}

/// Returns the digits of an element of a vector that weights of this format multiply: 0 where it stays a float.
constexpr int vector_digits(NumberFormat format) noexcept {
  switch (format) {
    case NumberFormat::F32:
    case NumberFormat::F16:
    case NumberFormat::BF16: return 0;
    case NumberFormat::W16:
    case NumberFormat::W8A16: return 2;
    case NumberFormat::W8: return 1;
  }
  return 0;
}

constexpr bool is_integer(NumberFormat format) noexcept { return weight_digits(format) > 0; }

/// Returns the largest number of so many digits: 127 or 32,512.
constexpr std::int64_t most_of_digits(int digits) noexcept {
  return digits == 1 ? kMostDigit : std::int64_t{kDigitBase} * kMostDigit + kMostDigit;
}

/// A row of weights or a vector whose largest magnitude is smaller becomes zeros, so that no scale is a subnormal
/// number or beyond f32.
inline constexpr float kSmallestScaled = 0x1p-100f;

/// An element up to here saturates at the largest number; one from here on is out of range. A range that is proved
/// holds but for rounding.
constexpr float beyond_digits(int digits) noexcept {
  const auto most = static_cast<float>(most_of_digits(digits));
  return most + most / 256;
}

/// Integer products read their columns in groups of four, as the instructions for them do; the last group is filled up
/// with zeros.
inline constexpr std::int64_t kColumnsOfGroup = 4;
constexpr std::int64_t groups_of_columns(std::int64_t columns) noexcept {
  return (columns + kColumnsOfGroup - 1) / kColumnsOfGroup;
}

/// Returns the floats that a vector of integers takes: each group has a byte for each digit of its elements.
constexpr std::int64_t floats_of_digits(std::int64_t elements, int digits) noexcept {
  return groups_of_columns(elements) * digits;
}

/// A sum of more columns may not fit in 32 bits: two products of digits, one of which is kept as an unsigned byte.
inline constexpr std::int64_t kMostIntegerColumns = 32'768;

constexpr const char* name(NumberFormat format) noexcept {
  switch (format) {
    case NumberFormat::F32: return "f32";
    case NumberFormat::F16: return "f16";
    case NumberFormat::BF16: return "bf16";
    case NumberFormat::W16: return "w16";
    case NumberFormat::W8A16: return "w8a16";
    case NumberFormat::W8: return "w8";
  }
  return "";
}

/// Returns how many floats `elements` of a format take: the packed block of weights is counted in floats.
constexpr std::int64_t floats_for(NumberFormat format, std::int64_t elements) noexcept {
  const std::int64_t float_bytes = bytes_of(kRowFormat, 1);
  return (bytes_of(format, elements) + float_bytes - 1) / float_bytes;
}

/// Returns how many elements of a format fit in `floats` floats.
constexpr std::int64_t elements_in(NumberFormat format, std::int64_t floats) noexcept {
  return bytes_of(kRowFormat, floats) / bytes_of(format, 1);
}

inline constexpr std::int64_t kCacheLineBytes = 64;
inline constexpr std::int64_t kCacheLineFloats = kCacheLineBytes / bytes_of(kRowFormat, 1);

/// No machine can address so many floats, and sums of many such numbers still fit in 64 bits.
inline constexpr std::int64_t kTooManyFloats = std::int64_t{1} << 46;

/// Returns a * b, but at most kTooManyFloats; neither is negative. A division would take longer than a short step's
/// sums.
constexpr std::int64_t floats_of(std::int64_t a, std::int64_t b) noexcept {
  std::int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) || product > kTooManyFloats ? kTooManyFloats : product;
}

/// Returns the floats of the cache lines that `floats` floats take.
constexpr std::int64_t whole_lines(std::int64_t floats) noexcept {
  return (floats + kCacheLineFloats - 1) / kCacheLineFloats * kCacheLineFloats;
}

}  // namespace rnnc::runtime
