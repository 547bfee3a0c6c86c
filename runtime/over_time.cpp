#include "runtime/over_time.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace rnnc::runtime {
namespace {

constexpr std::int64_t kColumns = 64;  // columns that are summed at once

// The steps of the i-th sequence of the timeline, which has at least one. Each step has its own row, or all steps read
// the one row of the sequence.
struct Steps {
  const Timeline& timeline;
  std::int64_t i;
  RowView from;
  bool repeats;

  const float* row(std::int64_t index) const {
    return from.data + (repeats ? timeline.sequence(i) : index) * from.stride;
  }

  const float* first() const { return row(i); }

  const float* last() const {
    std::int64_t index = 0;
    for (const Segment& segment : timeline.segments())
      if (i < segment.live) index = segment.first_row + (segment.steps - 1) * segment.live + i;
    return row(index);
  }

  template <class Visit>
  void for_each(Visit visit) const {
    for (const Segment& segment : timeline.segments()) {
      if (segment.live <= i) return;
      for (std::int64_t t = 0; t < segment.steps; ++t) visit(row(segment.first_row + t * segment.live + i));
    }
  }
};

void sum(const Steps& steps, double divisor, std::int64_t width, float* to) {
  std::array<double, kColumns> sums{};
  steps.for_each([&](const float* x) {
    for (std::int64_t k = 0; k < width; ++k) sums[static_cast<std::size_t>(k)] += x[k];
  });
  for (std::int64_t k = 0; k < width; ++k) to[k] = static_cast<float>(sums[static_cast<std::size_t>(k)] / divisor);
}

void max(const Steps& steps, std::int64_t width, float* to) {
  std::fill_n(to, width, -std::numeric_limits<float>::infinity());
  steps.for_each([&](const float* x) {
    for (std::int64_t k = 0; k < width; ++k)
      if (x[k] > to[k] || std::isnan(x[k])) to[k] = x[k];  // once NaN, nothing is greater
  });
}

void one_sequence(OverTime function, const Steps& steps, std::int64_t width, float* to) {
  switch (function) {
    case OverTime::First: std::copy_n(steps.first(), width, to); return;
    case OverTime::Last: std::copy_n(steps.last(), width, to); return;
    case OverTime::Sum: return sum(steps, 1, width, to);
    case OverTime::Mean: return sum(steps, static_cast<double>(steps.timeline.length(steps.i)), width, to);
    case OverTime::Max: return max(steps, width, to);
    case OverTime::Turned: return;  // turn() writes its rows
  }
}

// Writes the rows of each sequence in reverse order: the segments are gone through from both ends.
void turn(const Timeline& timeline, RowView from, bool repeats, std::int64_t width, RowView to) {
  const std::span<const Segment> segments = timeline.segments();
  for (std::int64_t i = 0; i < timeline.batch(); ++i) {
    std::size_t last = segments.size();
    std::int64_t left = 0;  // steps of the segment before `last` that are not read yet
    for (const Segment& segment : segments) {
      if (segment.live <= i) break;
      for (std::int64_t t = 0; t < segment.steps; ++t) {
        while (left == 0)
          if (segments[--last].live > i) left = segments[last].steps;
        const std::int64_t read = segments[last].first_row + --left * segments[last].live + i;
        const float* const row = from.data + (repeats ? timeline.sequence(i) : read) * from.stride;
        std::copy_n(row, width, to.data + (segment.first_row + t * segment.live + i) * to.stride);
      }
    }
  }
}

}  // namespace

void over_time(OverTime function, const Timeline& timeline, RowView from, bool repeats, std::int64_t width,
               RowView to) noexcept {
  if (function == OverTime::Turned) return turn(timeline, from, repeats, width, to);
  for (std::int64_t i = 0; i < timeline.batch(); ++i) {
    float* row = to.data + timeline.sequence(i) * to.stride;
    if (timeline.length(i) == 0) {
      std::fill_n(row, width, 0.0f);
      continue;
    }
    for (std::int64_t k = 0; k < width; k += kColumns)
      one_sequence(function, Steps{timeline, i, {from.data + k, from.stride}, repeats}, std::min(kColumns, width - k),
                   row + k);
  }
}

}  // namespace rnnc::runtime
