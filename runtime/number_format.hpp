// The formats that numbers have in memory: a count of elements becomes bytes here and nowhere else. The size of a cache
// line, on which rows, panels and what threads share begin, stands here too.
#pragma once

#include <cstdint>

namespace rnnc::runtime {

enum class NumberFormat : std::uint8_t { F32 };

/// Inputs, states, outputs and all values between them have this format, and so have weights that no product reads.
/// Products are added up in it, whatever the format of their weights is.
inline constexpr NumberFormat kRowFormat = NumberFormat::F32;

constexpr std::int64_t bytes_of(NumberFormat format, std::int64_t elements) noexcept {
  switch (format) {
    case NumberFormat::F32: return elements * std::int64_t{sizeof(float)};
  }
  return 0;
}

constexpr const char* name(NumberFormat format) noexcept {
  switch (format) {
    case NumberFormat::F32: return "f32";
  }
  return "";
}

/// The packed block of weights is counted in floats: how many of them `elements` of a format take.
constexpr std::int64_t floats_for(NumberFormat format, std::int64_t elements) noexcept {
  const std::int64_t float_bytes = bytes_of(kRowFormat, 1);
  return (bytes_of(format, elements) + float_bytes - 1) / float_bytes;
}

/// How many elements of a format take as much as `floats` floats.
constexpr std::int64_t elements_in(NumberFormat format, std::int64_t floats) noexcept {
  return bytes_of(kRowFormat, floats) / bytes_of(format, 1);
}

inline constexpr std::int64_t kCacheLineBytes = 64;
inline constexpr std::int64_t kCacheLineFloats = kCacheLineBytes / bytes_of(kRowFormat, 1);

}  // namespace rnnc::runtime
