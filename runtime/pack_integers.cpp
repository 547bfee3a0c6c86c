#include "runtime/pack_integers.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace rnnc::runtime {
namespace {

// Returns the largest magnitude, NaN if an element is not finite.
float largest_of(std::span<const float> row) {
  float largest = 0;
  for (const float weight : row) {
    if (!std::isfinite(weight)) return std::numeric_limits<float>::quiet_NaN();
    largest = std::max(largest, std::abs(weight));
  }
  return largest;
}

// Returns the integer that the largest magnitude of a row becomes. A row that was rounded to 8 bits before, by a
// program that makes models smaller, consists of multiples of some step: with an integer from 64 on, they become
// integers again without another rounding. Other rows use the whole range.
int most_of(std::span<const float> row, float largest, int digits) {
  constexpr int kMost = kMostDigit, kLeast = kMost / 2 + 1;
  constexpr float kRounding = 0x1p-14f;  // of a float that was a multiple of the step
  if (digits > 1) return static_cast<int>(most_of_digits(digits));
  for (int most = kMost; most >= kLeast; --most) {
    const float scale = static_cast<float>(most) / largest;
    const auto is_multiple = [&](float weight) {
      const float scaled = weight * scale;
      return std::abs(scaled - std::nearbyint(scaled)) <= kRounding;
    };
    if (std::ranges::all_of(row, is_multiple)) return most;
  }
  return kMost;
}

// Bytes of integers lie as [group of columns][vector][digit][lane][column of the group].
class Bytes {
 public:
  Bytes(const PanelShape& shape, const UnitPlace& place, float* panel)
      : digits_(weight_digits(shape.format)),
        lanes_(shape.lanes),
        group_(place.together * kColumnsOfGroup * digits_),
        first_(reinterpret_cast<std::int8_t*>(panel) + place.before * shape.stored_columns() * digits_ +
               place.position / lanes_ * (lanes_ * kColumnsOfGroup * digits_) +
               place.position % lanes_ * kColumnsOfGroup) {}

  void set(std::int64_t column, int digit, int value) const {
    const std::int64_t at =
        column / kColumnsOfGroup * group_ + digit * lanes_ * kColumnsOfGroup + column % kColumnsOfGroup;
    first_[at] = static_cast<std::int8_t>(value);
  }

 private:
  int digits_;
  std::int64_t lanes_, group_;
  std::int8_t* first_;
};

}  // namespace

void pack_integers(const PanelShape& shape, int gate, std::int64_t unit, std::span<const float> row, float* panel) {
  constexpr int kShift = 128;
  const int digits = weight_digits(shape.format);
  const UnitPlace place = place_of(shape, gate, unit);
  const Bytes bytes(shape, place, panel);
  const float largest = largest_of(row);
  const auto most = static_cast<float>(most_of(row, largest, digits));
  // The sums of digits, as the start values need them.
  std::int32_t high_sum = 0, low_sum = 0;
  if (largest >= kSmallestScaled) {
    const float scale = most / largest;
    for (std::size_t k = 0; k < row.size(); ++k) {
      const auto integer = static_cast<int>(std::nearbyint(row[k] * scale));
      const int high =
          digits == 1 ? integer : static_cast<int>(std::nearbyint(static_cast<float>(integer) / kDigitBase));
      bytes.set(static_cast<std::int64_t>(k), 0, high);
      high_sum += high;
      if (digits == 1) continue;
      const int low = integer - kDigitBase * high;
      bytes.set(static_cast<std::int64_t>(k), 1, low);
      low_sum += low;
    }
  }
  const std::int64_t slot = place.before + place.position;
  if (shape.shifted) {
    // The start values of a vector's two sums follow each other.
    float* const starts = panel + shape.starts() + slot / shape.lanes * (shape.lanes * digits) + slot % shape.lanes;
    const std::int32_t values[] = {-kShift * high_sum, -kShift * (high_sum + low_sum)};
    for (int digit = 0; digit < digits; ++digit)
      std::memcpy(starts + digit * shape.lanes, &values[digit], sizeof values[digit]);
  }
  // Weights of two digits are added up in units of the base.
  const float step = largest >= kSmallestScaled || std::isnan(largest) ? largest / most : 0.0f;
  panel[shape.scales() + slot] = digits == 1 ? step : step * static_cast<float>(kDigitBase);
}

}  // namespace rnnc::runtime
