#include "runtime/half.hpp"

#include <cstddef>

#include "runtime/convert.hpp"

namespace rnnc::runtime {

float rounded(float value, NumberFormat format) noexcept {
  const auto widened = [](std::uint16_t half, ElementType type) {
    float wide = 0;
    convert_to_f32(type, reinterpret_cast<const std::byte*>(&half), 1, &wide);
    return wide;
  };
  switch (format) {
    case NumberFormat::F32:
    case NumberFormat::W16:
    case NumberFormat::W8A16:
    case NumberFormat::W8: return value;
    case NumberFormat::F16: return widened(to_f16(value), ElementType::F16);
    case NumberFormat::BF16: return widened(to_bf16(value), ElementType::BF16);
  }
  return value;
}

}  // namespace rnnc::runtime
