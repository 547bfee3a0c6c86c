#include "tests/support/packed_row.hpp"

#include <algorithm>
#include <cmath>

namespace rnnc::test {

bool keeps_integers(const std::vector<float>& row, const std::vector<int>& integers, float scale) {
  const PackedRow packed(runtime::NumberFormat::W8, row);
  int most = 0, most_packed = 0;
  for (std::size_t k = 0; k < row.size(); ++k) {
    most = std::max(most, std::abs(integers[k]));
    most_packed = std::max(most_packed, std::abs(packed.digit(static_cast<std::int64_t>(k), 0)));
  }
  if (most == 0) return most_packed == 0;
  for (std::size_t k = 0; k < row.size(); ++k)
    if (packed.digit(static_cast<std::int64_t>(k), 0) * most != integers[k] * most_packed) return false;
  constexpr float kRounding = 0x1p-22f;  // of the products in the row, and of the division by the largest integer
  const float step = scale * static_cast<float>(most) / static_cast<float>(most_packed);
  return std::abs(packed.step() - step) <= kRounding * step;
}

}  // namespace rnnc::test
