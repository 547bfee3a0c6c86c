// Products of integers are computed as docs/numerics.md defines them: plain loops over digits with exact sums, and a
// rounding to f32 wherever the definition has one. Nothing here is shared with what the compiler generates.
#include <algorithm>
#include <cmath>
#include <limits>

#include "ir/evaluator.hpp"

namespace rnnc::ir {

namespace {

constexpr std::int64_t kBase = 255;
constexpr std::int64_t kMostOf8 = 127, kMostOf16 = kBase * kMostOf8 + kMostOf8;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double as_f32(double value) { return static_cast<float>(value); }

std::int64_t most_of(const Dim& bits) { return bits == Dim(8) ? kMostOf8 : kMostOf16; }

// value = kBase * high + low with both within -127 to 127; a number of 8 bits is its high digit.
struct Digits {
  std::int64_t high = 0, low = 0;
};

Digits digits_of(double value, bool has_two) {
  if (!has_two) return {static_cast<std::int64_t>(value), 0};
  const auto high = static_cast<std::int64_t>(std::nearbyint(value / static_cast<double>(kBase)));
  return {high, static_cast<std::int64_t>(value) - kBase * high};
}

// A row of a matrix as integers: element = integer * step, NaN if the row has an element that is not finite.
struct IntegerRow {
  double step = 0;
  std::vector<Digits> elements;
};

// Tells whether all elements are multiples of the largest one divided by `most`, as far as f32 can tell.
bool has_multiples(const double* row, std::int64_t columns, double largest, std::int64_t most) {
  constexpr double kRounding = 0x1p-14;
  const double scale = as_f32(static_cast<double>(most) / largest);
  for (std::int64_t k = 0; k < columns; ++k) {
    const double scaled = as_f32(row[k] * scale);
    if (std::abs(as_f32(scaled - std::nearbyint(scaled))) > kRounding) return false;
  }
  return true;
}

IntegerRow quantized_row(const double* row, std::int64_t columns, std::int64_t most) {
  constexpr double kLeast = 0x1p-100;  // smaller elements are zeros
  double largest = 0;
  bool finite = true;
  for (std::int64_t k = 0; k < columns; ++k) {
    finite = finite && std::isfinite(row[k]);
    largest = std::max(largest, std::abs(row[k]));
  }
  IntegerRow result{kNan, std::vector<Digits>(static_cast<std::size_t>(columns))};
  if (!finite) return result;
  result.step = 0;
  if (largest < kLeast) return result;
  const bool has_two = most > kMostOf8;
  // Rows of integers of 8 bits stay what they are.
  std::int64_t own = most;
  while (!has_two && own > kMostOf8 / 2 && !has_multiples(row, columns, largest, own)) --own;
  if (own > kMostOf8 / 2) most = own;
  const double scale = as_f32(static_cast<double>(most) / largest);
  result.step = as_f32(largest / static_cast<double>(most));
  for (std::int64_t k = 0; k < columns; ++k) {
    const double integer = std::nearbyint(as_f32(row[k] * scale));
    result.elements[static_cast<std::size_t>(k)] = digits_of(integer, has_two);
  }
  return result;
}

}  // namespace

void Evaluator::quantize(const Node& node, double* out) const {
  const View &x = operand(node, 0), &scale = operand(node, 1);
  const auto most = static_cast<double>(most_of(node.ranges[0].begin));
  for (std::int64_t i = 0; i < x.rows; ++i) {
    const double scaled = as_f32(as_f32(x.data[i * x.stride]) * as_f32(scale.data[0]));
    // A range that is proved holds but for rounding: what is a little beyond saturates.
    out[i] = std::abs(scaled) < most + most / 256 ? std::nearbyint(std::clamp(scaled, -most, most)) : kNan;
  }
}

void Evaluator::project_integers(const Node& node, double* out) const {
  const View& x = operand(node, 0);
  const Range& bits = graph_[node.operands[0]].ranges[0];
  const std::int64_t most = most_of(bits.end);
  const bool has_nan = std::any_of(x.data, x.data + x.rows, [](double element) { return std::isnan(element); });
  for (std::size_t i = 1; i < node.operands.size(); i += 2) {
    const View &matrix = operand(node, i), &start = operand(node, i + 1);
    for (std::int64_t r = 0; r < matrix.rows; ++r) {
      const IntegerRow row = quantized_row(matrix.data + r * matrix.stride, matrix.columns, most);
      std::int64_t high = 0, low = 0;
      for (std::int64_t k = 0; k < matrix.columns && !has_nan; ++k) {
        const Digits weight = row.elements[static_cast<std::size_t>(k)];
        const Digits element = digits_of(x.data[k], bits.begin == Dim(16));
        high += weight.high * element.high;
        low += weight.high * element.low + weight.low * element.high;  // low times low is left out
      }
      double sum = as_f32(static_cast<double>(high));
      double step = row.step;
      // All sums are in units of the base where both sides have two digits, and the step of a row takes it up.
      if (bits.begin == Dim(16))
        sum = as_f32(as_f32(sum * static_cast<double>(kBase)) + as_f32(static_cast<double>(low)));
      if (bits.end == Dim(16)) step = as_f32(step * static_cast<double>(kBase));
      *out++ = has_nan ? kNan : start.spread(r) + as_f32(sum * step);
    }
  }
}

}  // namespace rnnc::ir
