#include "runtime/portable_integers.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/panel_layout.hpp"

namespace rnnc::runtime {
namespace {

constexpr std::int8_t kMark = -128;

float* at(const PortableRows& rows, const PortablePlace& place, std::int64_t row) {
  const auto space = static_cast<int>(place.space);
  return rows.base[space] + row * rows.stride[space] + place.offset;
}

std::int64_t bytes_of_vector(const PortableOp& op, std::int64_t columns) {
  return bytes_of(kRowFormat, floats_of_digits(columns, vector_digits(op.format)));
}

// Returns the sums of a lane's high digits, and of its products of one low digit.
struct Sums {
  std::int32_t high[kPortableLanes] = {}, low[kPortableLanes] = {};
};

// Adds four products to each lane.
void add(std::int32_t (&sums)[kPortableLanes], const std::int8_t* elements, const std::int8_t* weights) {
  for (int lane = 0; lane < kPortableLanes; ++lane)
    for (int k = 0; k < kColumnsOfGroup; ++k) sums[lane] += elements[k] * weights[lane * kColumnsOfGroup + k];
}

class Product {
 public:
  Product(const PortableOp& op, const PortableRows& rows)
      : op_(op),
        shape_{.units = op.size,
               .columns = op.columns,
               .gates = 1,
               .lanes = kPortableLanes,
               .together = kPortableTogether,
               .format = op.format},
        panel_(at(rows, op.operands[2], 0)) {}

  // Computes the units of one block, from `unit` on.
  void block(const std::int8_t* x, bool has_mark, std::int64_t unit, float* y) const {
    const int digits = weight_digits(op_.format), of_vector = vector_digits(op_.format);
    const UnitPlace place = place_of(shape_, 0, unit);
    constexpr std::int64_t kBytes = std::int64_t{kPortableLanes} * kColumnsOfGroup;
    const std::int8_t* weights = reinterpret_cast<const std::int8_t*>(panel_) +
                                 (place.before * shape_.stored_columns() + place.position * kColumnsOfGroup) * digits;
    Sums sums;
    for (std::int64_t group = 0; group < groups_of_columns(op_.columns); ++group) {
      add(sums.high, x, weights);
      if (of_vector == 2) add(sums.low, x + kColumnsOfGroup, weights);
      if (digits == 2) add(sums.low, x, weights + kBytes);
      x += of_vector * kColumnsOfGroup;
      weights += place.together * kColumnsOfGroup * digits;
    }
    const float* const scales = panel_ + shape_.scales() + unit;
    for (int lane = 0; lane < kPortableLanes; ++lane) {
      auto sum = static_cast<float>(sums.high[lane]);
      if (of_vector == 2) sum = sum * static_cast<float>(kDigitBase) + static_cast<float>(sums.low[lane]);
      y[lane] = has_mark ? std::numeric_limits<float>::quiet_NaN() : sum * scales[lane];
    }
  }

 private:
  const PortableOp& op_;
  PanelShape shape_;
  const float* panel_;
};

}  // namespace

void quantize(const PortableOp& op, const PortableRows& rows) noexcept {
  const int digits = vector_digits(op.format);
  const auto most = static_cast<float>(most_of_digits(digits));
  for (std::int64_t r = 0; r < rows.count; ++r) {
    const float* const x = at(rows, op.operands[0], r);
    const float scale = *at(rows, op.operands[1], r);
    auto* const bytes = reinterpret_cast<std::int8_t*>(at(rows, op.to, r));
    std::fill_n(bytes, bytes_of_vector(op, op.size), std::int8_t{0});
    for (std::int64_t i = 0; i < op.size; ++i) {
      std::int8_t* const to = bytes + i / kColumnsOfGroup * kColumnsOfGroup * digits + i % kColumnsOfGroup;
      const float scaled = x[i] * scale;
      if (!(std::abs(scaled) < beyond_digits(digits))) {
        *to = kMark;
        continue;
      }
      const float integer = std::nearbyint(std::clamp(scaled, -most, most));
      const float high = digits == 1 ? integer : std::nearbyint(integer / static_cast<float>(kDigitBase));
      *to = static_cast<std::int8_t>(high);
      if (digits == 2) to[kColumnsOfGroup] = static_cast<std::int8_t>(integer - static_cast<float>(kDigitBase) * high);
    }
  }
}

void integer_product(const PortableOp& op, const PortableRows& rows) noexcept {
  const Product product(op, rows);
  for (std::int64_t r = 0; r < rows.count; ++r) {
    const auto* const x = reinterpret_cast<const std::int8_t*>(at(rows, op.operands[0], r));
    const std::int8_t* const end = x + bytes_of_vector(op, op.columns);
    const bool has_mark = std::find(x, end, kMark) != end;
    float* const y = at(rows, op.to, r);
    for (std::int64_t unit = 0; unit < op.size; unit += kPortableLanes) product.block(x, has_mark, unit, y + unit);
  }
}

}  // namespace rnnc::runtime
