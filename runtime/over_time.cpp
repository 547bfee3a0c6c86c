#include "runtime/over_time.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace rnnc::runtime {
namespace {

constexpr std::int64_t kColumns = 64;  // that are summed up at once

// Of the sequence that is i-th, its rows in the order of time.
template <class Visit>
void for_each_row(const Timeline& timeline, std::int64_t i, Visit visit) {
  for (const Segment& segment : timeline.segments()) {
    if (segment.live <= i) return;
    for (std::int64_t t = 0; t < segment.steps; ++t) visit(segment.first_row + t * segment.live + i);
  }
}

std::int64_t last_row(const Timeline& timeline, std::int64_t i) {
  std::int64_t row = 0;
  for (const Segment& segment : timeline.segments())
    if (i < segment.live) row = segment.first_row + (segment.steps - 1) * segment.live + i;
  return row;
}

void sum(const Timeline& timeline, std::int64_t i, double divisor, Rows from, std::int64_t width, float* to) {
  std::array<double, kColumns> sums{};
  for_each_row(timeline, i, [&](std::int64_t row) {
    const float* x = from.data + row * from.stride;
    for (std::int64_t k = 0; k < width; ++k) sums[static_cast<std::size_t>(k)] += x[k];
  });
  for (std::int64_t k = 0; k < width; ++k) to[k] = static_cast<float>(sums[static_cast<std::size_t>(k)] / divisor);
}

void max(const Timeline& timeline, std::int64_t i, Rows from, std::int64_t width, float* to) {
  std::fill_n(to, width, -std::numeric_limits<float>::infinity());
  for_each_row(timeline, i, [&](std::int64_t row) {
    const float* x = from.data + row * from.stride;
    for (std::int64_t k = 0; k < width; ++k)
      if (x[k] > to[k] || std::isnan(x[k])) to[k] = x[k];  // once NaN, nothing is greater
  });
}

void one_sequence(TimeFunction function, const Timeline& timeline, std::int64_t i, Rows from, std::int64_t width,
                  float* to) {
  switch (function) {
    case TimeFunction::First: std::copy_n(from.data + i * from.stride, width, to); return;
    case TimeFunction::Last: std::copy_n(from.data + last_row(timeline, i) * from.stride, width, to); return;
    case TimeFunction::Sum: return sum(timeline, i, 1, from, width, to);
    case TimeFunction::Mean: return sum(timeline, i, static_cast<double>(timeline.length(i)), from, width, to);
    case TimeFunction::Max: return max(timeline, i, from, width, to);
  }
}

}  // namespace

void over_time(TimeFunction function, const Timeline& timeline, Rows from, std::int64_t width, Rows to) noexcept {
  for (std::int64_t i = 0; i < timeline.batch(); ++i) {
    float* row = to.data + timeline.sequence(i) * to.stride;
    if (timeline.length(i) == 0) {
      std::fill_n(row, width, 0.0f);
      continue;
    }
    for (std::int64_t k = 0; k < width; k += kColumns)
      one_sequence(function, timeline, i, {from.data + k, from.stride}, std::min(kColumns, width - k), row + k);
  }
}

}  // namespace rnnc::runtime
