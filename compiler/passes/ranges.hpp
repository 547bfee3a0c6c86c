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

/// Returns an interval for each node. The elements of a vector share one. NaN is in every interval.
std::vector<Interval> ranges_of(const ir::Cell& cell);

/// Returns the bounds of the states, by name, on which a constant scale of a Quantize relies: a state has to begin
/// within its bound. Other states are not among them.
std::map<std::string, double> bounds_of_states(const ir::Cell& cell);

}  // namespace rnnc::compiler
