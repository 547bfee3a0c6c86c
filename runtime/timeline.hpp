// A timeline is the order of the rows of a batch of sequences of different lengths: the longest sequence is first, so
// that the sequences that live at a step are the first ones, and a step has as many rows as sequences live. The rows of
// all steps follow each other without gaps; if all lengths are equal the order is the caller's [steps, batch].
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace rnnc::runtime {

/// Rows that lie `stride` floats apart.
struct RowView {
  float* data = nullptr;
  std::int64_t stride = 0;
};

/// Consecutive steps at which the same sequences live. The row of sequence i at step first_step + t is first_row + t *
/// live + i.
struct Segment {
  std::int64_t first_step = 0;
  std::int64_t steps = 0;
  std::int64_t live = 0;
  std::int64_t first_row = 0;
};

class Timeline {
 public:
  Timeline() = default;

  /// Makes a timeline of at most `batch` sequences. Throws std::bad_alloc; no other member allocates.
  explicit Timeline(std::int64_t batch);

  /// Sets the number of sequences and their lengths: `lengths` is [batch], each in [0, steps], or null if all sequences
  /// have `steps`. Selects all steps.
  void set(std::int64_t batch, std::int64_t steps, const std::int32_t* lengths) noexcept;

  /// Selects steps [first, first + steps) of the steps that were set, in the order of the whole: the functions below
  /// describe the selected steps.
  void select(std::int64_t first, std::int64_t steps) noexcept;

  std::int64_t batch() const { return batch_; }
  std::int64_t steps() const { return steps_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t live_steps() const { return live_steps_; }  // of the longest sequence

  /// Tells whether the order of the rows differs from the caller's [steps, batch].
  bool is_ragged() const { return ragged_; }

  /// Returns the caller's number of the i-th sequence.
  std::int64_t sequence(std::int64_t i) const { return ragged_ ? order_[static_cast<std::size_t>(i)] : i; }
  std::int64_t length(std::int64_t i) const {
    return ragged_ ? std::clamp<std::int64_t>(lengths_[sequence(i)] - first_, 0, steps_) : steps_;
  }

  /// Returns the segments in the order of time. Each has at least one step and one sequence.
  std::span<const Segment> segments() const { return {segments_.data(), segments_.size()}; }

 private:
  void add_segment(std::int64_t end, std::int64_t live) noexcept;

  std::int64_t batch_ = 0, first_ = 0, steps_ = 0, rows_ = 0, live_steps_ = 0;
  bool ragged_ = false;
  const std::int32_t* lengths_ = nullptr;
  std::vector<std::int32_t> order_;
  std::vector<Segment> segments_;  // never grows beyond what the constructor reserves
};

/// Copies the caller's dense rows [steps, batch, width] into the order of the timeline.
void gather_rows(const Timeline& timeline, const float* from, std::int64_t width, float* to) noexcept;

/// Copies the rows of the timeline, `width` floats each, into the caller's [steps, batch]; the caller's rows behind the
/// end of each sequence become 0. If `once`, `from` has one row for each sequence, in the caller's order, which is
/// copied to each of its steps.
void scatter_rows(const Timeline& timeline, RowView from, bool once, std::int64_t width, RowView to) noexcept;

}  // namespace rnnc::runtime
