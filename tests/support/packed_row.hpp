// This is one row of weights as the integers that a product of w8, w8a16 or w16 multiplies.
#pragma once

#include <cstring>
#include <vector>

#include "runtime/pack_integers.hpp"

namespace rnnc::test {

/// A panel of one gate and one block, whose second unit has the row.
struct PackedRow {
  PackedRow(runtime::NumberFormat format, const std::vector<float>& row, bool shifted = false)
      : shape{.units = 3, .columns = std::ssize(row), .gates = 1, .lanes = 4, .format = format, .shifted = shifted},
        floats(static_cast<std::size_t>(shape.floats())) {
    pack_integers(shape, 0, 1, row, floats.data());
  }

  int digit(std::int64_t column, int which) const {
    const auto* bytes = reinterpret_cast<const std::int8_t*>(floats.data());
    const int digits = runtime::weight_digits(shape.format);
    return bytes[(column / 4 * digits + which) * 16 + 1 * 4 + column % 4];
  }
  float step() const { return floats[static_cast<std::size_t>(shape.scales() + 1)]; }
  std::int32_t start(int which) const {
    std::int32_t value = 0;
    std::memcpy(&value, floats.data() + shape.starts() + which * 4 + 1, sizeof value);
    return value;
  }

  runtime::PanelShape shape;
  std::vector<float> floats;
};

/// Tells whether a row of w8 has these integers with this scale, or all of them times one factor with as much smaller
/// a scale.
bool keeps_integers(const std::vector<float>& row, const std::vector<int>& integers, float scale);

}  // namespace rnnc::test
