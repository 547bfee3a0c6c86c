// The order in which a batch of sequences of different lengths is worked on: longest first, so that the sequences that
// live at a step are the first ones, and a step is as many rows as there are of them. RowView of all steps lie one
// behind the other without gaps; where all lengths are equal that is [steps, batch] in the caller's order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace rnnc::runtime {

/// RowView that lie `stride` floats apart.
struct RowView {
  float* data = nullptr;
  std::int64_t stride = 0;
};

/// Steps at which the same sequences live: row of sequence i at step first_step + t: first_row + t * live + i.
struct Segment {
  std::int64_t first_step = 0;
  std::int64_t steps = 0;
  std::int64_t live = 0;
  std::int64_t first_row = 0;
};

class Timeline {
 public:
  Timeline() = default;

  /// For `batch` sequences. Throws std::bad_alloc; nothing else here allocates.
  explicit Timeline(std::int64_t batch);

  /// `lengths` is [batch], each in [0, steps], or null where all have `steps`. The whole of it is selected.
  void set(std::int64_t steps, const std::int32_t* lengths) noexcept;

  /// Steps [first, first + steps) of what was set, in the order of the whole: what follows is of these.
  void select(std::int64_t first, std::int64_t steps) noexcept;

  std::int64_t batch() const { return batch_; }
  std::int64_t steps() const { return steps_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t live_steps() const { return live_steps_; }  // of the longest sequence

  /// Whether rows are others than the caller's [steps, batch].
  bool is_ragged() const { return ragged_; }

  /// The caller's number of the i-th sequence.
  std::int64_t sequence(std::int64_t i) const { return ragged_ ? order_[static_cast<std::size_t>(i)] : i; }
  std::int64_t length(std::int64_t i) const {
    return ragged_ ? std::clamp<std::int64_t>(lengths_[sequence(i)] - first_, 0, steps_) : steps_;
  }

  /// In the order of time; none has no steps or no sequences.
  std::span<const Segment> segments() const { return {segments_.data(), segments_.size()}; }

 private:
  void add_segment(std::int64_t end, std::int64_t live) noexcept;

  std::int64_t batch_ = 0, first_ = 0, steps_ = 0, rows_ = 0, live_steps_ = 0;
  bool ragged_ = false;
  const std::int32_t* lengths_ = nullptr;
  std::vector<std::int32_t> order_;
  std::vector<Segment> segments_;  // never grows beyond what the constructor reserves
};

/// The caller's dense rows [steps, batch, width] into the timeline's.
void gather_rows(const Timeline& timeline, const float* from, std::int64_t width, float* to) noexcept;

/// RowView of the timeline, `width` floats of each, into the caller's [steps, batch], which become 0 behind the end of
/// each sequence. Where `once`, `from` has one row for each sequence in the caller's order, which is that of every
/// step.
void scatter_rows(const Timeline& timeline, RowView from, bool once, std::int64_t width, RowView to) noexcept;

}  // namespace rnnc::runtime
