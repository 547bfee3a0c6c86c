// Functions over the steps of each sequence.
#pragma once

#include "runtime/steps.hpp"
#include "runtime/timeline.hpp"

namespace rnnc::runtime {

/// `width` floats of each row of the timeline into one row for each sequence, in the caller's order. Sums are of
/// doubles, step after step: they do not depend on the other sequences. NaN propagates. `repeats`: `from` is no
/// sequence, but one row for each sequence, in the caller's order, that stands at each of its steps.
void over_time(OverTime function, const Timeline& timeline, RowView from, bool repeats, std::int64_t width,
               RowView to) noexcept;

}  // namespace rnnc::runtime
