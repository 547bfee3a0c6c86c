// Seeded random networks for differential tests: scans of random and of standard cells in every direction, with initial
// and final states, lifted expressions, functions over time, two times, decoders, dead values. The same seed gives the
// same network everywhere.
#pragma once

#include <cstdint>

#include "tests/support/subject.hpp"

namespace rnnc::test {

/// As well conditioned as random_cell's.
Subject random_network(std::uint64_t seed);

/// A random cell or, one in three, a random network.
Subject random_subject(std::uint64_t seed);

/// Any executor of this machine, any format of weights that has a definition of its own or `weights`, few or many steps
/// and sequences, lengths, one thread or several. Weights are f32 where a state starts with constants beyond the range
/// of its integers, which is refused.
Setting random_setting(const Subject& subject, std::uint64_t seed, std::optional<WeightFormat> weights = {});

}  // namespace rnnc::test
