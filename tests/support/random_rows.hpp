// Random cells whose steps have rows.
#pragma once

#include <cstdint>

#include "tests/support/random_cell.hpp"

namespace rnnc::test {

/// A cell of one input and one state that computes with rows by every op of rows; bound, with weights.
RandomCell random_rows(std::uint64_t seed);

}  // namespace rnnc::test
