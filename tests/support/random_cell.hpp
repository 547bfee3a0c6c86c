// Seeded random cells for differential tests: every op, function and reduction, ugly sizes, chains of products,
// delay lines, values used many times. The same seed gives the same cell everywhere.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ir/cell.hpp"

namespace rnnc::test {

struct RandomCell {
  ir::Cell cell;  // bound and verified
  std::map<std::string, std::vector<float>> weights;
};

/// For inputs and initial states in [-1, 1] the states stay in [-1, 1], every value stays small, and the cell is well
/// conditioned: discontinuous functions see exact values only, and the recurrence contracts, so the error of f32
/// arithmetic stays near one rounding for any number of steps. Where inputs are results of other arithmetic, they are
/// not exact.
RandomCell random_cell(std::uint64_t seed, bool exact_inputs = true);

}  // namespace rnnc::test
