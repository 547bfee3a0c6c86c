// A cell becomes intervals: each value of the cell lies within its interval at every step, as long as every state
// begins within the interval of the state. Parameters and inputs may be any number, but for values of which a Within
// says what was measured.
#pragma once

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ir/cell.hpp"

namespace rnnc::compiler {

// The bounds of measured ranges: 1 / kLargestMeasured is a normal number of f32, as the scale of integers has to be.
inline constexpr double kLargestMeasured = 0x1p100;

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

/// Returns the Within of a vector, or of the vector that it is a slice of; null where nothing was measured.
const ir::Statement* measured_range(const ir::Cell& cell, ir::Value vector);

/// Returns the bound for which the integers of a vector have a constant scale, from the intervals of `ranges_of(cell)`;
/// nothing where the scale is found anew in each step.
std::optional<double> bound_of_integers(const ir::Cell& cell, const std::vector<Interval>& ranges, ir::Value vector);

/// Returns the intervals of the states, by name, on which a constant scale of a Quantize relies: a state has to begin
/// within its interval. States that may be any number are not among them.
std::map<std::string, Interval> bounds_of_states(const ir::Cell& cell);

}  // namespace rnnc::compiler
