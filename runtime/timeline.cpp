#include "runtime/timeline.hpp"

#include <algorithm>
#include <numeric>

namespace rnnc::runtime {

Timeline::Timeline(std::int64_t batch) : batch_(batch), order_(static_cast<std::size_t>(batch)) {
  segments_.reserve(static_cast<std::size_t>(batch) + 1);
}

void Timeline::add_segment(std::int64_t end, std::int64_t live) noexcept {
  if (end <= live_steps_ || live <= 0) return;
  segments_.push_back({live_steps_, end - live_steps_, live, rows_});
  rows_ += (end - live_steps_) * live;
  live_steps_ = end;
}

void Timeline::set(std::int64_t batch, std::int64_t steps, const std::int32_t* lengths) noexcept {
  batch_ = batch;
  lengths_ = lengths;
  ragged_ = lengths && std::any_of(lengths, lengths + batch_, [&](std::int32_t length) { return length != steps; });
  if (ragged_) {
    std::iota(order_.begin(), order_.begin() + batch, 0);
    std::sort(order_.begin(), order_.begin() + batch, [&](std::int32_t a, std::int32_t b) {
      return lengths[a] != lengths[b] ? lengths[a] > lengths[b] : a < b;
    });
  }
  select(0, steps);
}

void Timeline::select(std::int64_t first, std::int64_t steps) noexcept {
  first_ = first;
  steps_ = steps;
  rows_ = live_steps_ = 0;
  segments_.clear();
  if (!ragged_) return add_segment(steps, batch_);
  for (std::int64_t live = batch_; live > 0; --live) add_segment(length(live - 1), live);
}

void gather_rows(const Timeline& timeline, const float* from, std::int64_t width, float* to) noexcept {
  for (const Segment& segment : timeline.segments()) {
    for (std::int64_t t = 0; t < segment.steps; ++t) {
      const float* step = from + (segment.first_step + t) * timeline.batch() * width;
      for (std::int64_t i = 0; i < segment.live; ++i, to += width)
        std::copy_n(step + timeline.sequence(i) * width, width, to);
    }
  }
}

void scatter_rows(const Timeline& timeline, RowView from, bool once, std::int64_t width, RowView to) noexcept {
  const auto at = [&](std::int64_t t, std::int64_t i) {
    return to.data + (t * timeline.batch() + timeline.sequence(i)) * to.stride;
  };
  for (const Segment& segment : timeline.segments()) {
    for (std::int64_t t = 0; t < segment.steps; ++t) {
      for (std::int64_t i = 0; i < segment.live; ++i) {
        const std::int64_t row = once ? timeline.sequence(i) : segment.first_row + t * segment.live + i;
        std::copy_n(from.data + row * from.stride, width, at(segment.first_step + t, i));
      }
    }
  }
  for (std::int64_t i = 0; i < timeline.batch(); ++i)
    for (std::int64_t t = timeline.length(i); t < timeline.steps(); ++t) std::fill_n(at(t, i), width, 0.0f);
}

}  // namespace rnnc::runtime
