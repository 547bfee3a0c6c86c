// A function over time reduces the steps of each sequence to one row.
#pragma once

#include "runtime/steps.hpp"
#include "runtime/timeline.hpp"

namespace rnnc::runtime {

/// Reduces `width` floats of each row of the timeline to one row for each sequence, in the caller's order. Sums are
/// sums of doubles, step after step, so they do not depend on the other sequences. NaN propagates. If `repeats`, `from`
/// has one row for each sequence, in the caller's order, which is the row of each of its steps. A function that gives a
/// sequence writes the rows of the timeline.
void over_time(OverTime function, const Timeline& timeline, RowView from, bool repeats, std::int64_t width,
               RowView to) noexcept;

}  // namespace rnnc::runtime
