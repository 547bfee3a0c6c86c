// A cell becomes intervals: each value of the cell lies within its interval at every step, as long as every state
// begins within the interval of the state. Parameters and inputs may be any number.
#pragma once

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "ir/cell.hpp"

namespace rnnc::compiler {

struct Interval {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();

  /// Returns the largest magnitude; infinity where there is no bound.
  double bound() const;
  friend bool operator==(const Interval&, const Interval&) = default;
};

/// Returns an interval for each node, in which f32 results are too, but for what rounding adds to a mixture of two
/// values in one step after another: a thousandth at most. The elements of a vector share an interval. NaN is in every
/// one.
std::vector<Interval> ranges_of(const ir::Cell& cell);

/// Returns the intervals of the states, by name, on which a constant scale of a Quantize relies: a state has to begin
/// within its interval. States that may be any number are not among them.
std::map<std::string, Interval> bounds_of_states(const ir::Cell& cell);

}  // namespace rnnc::compiler
