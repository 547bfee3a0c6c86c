// A seed becomes data for bench and verify, of the size that trained cells have and the same on every machine.
#pragma once

#include <cstdint>
#include <vector>

#include <rnnc/tensor.hpp>

#include "ir/cell.hpp"

namespace rnnc::tools {

/// Draws `count` values, uniform in [-most, most).
std::vector<float> random_values(std::int64_t count, float most, std::uint64_t seed);

/// Draws lengths uniform in [1, steps], the last of them `steps`.
std::vector<std::int32_t> random_lengths(std::int64_t steps, std::int64_t sequences, std::uint64_t seed);

/// Draws a tensor for every weight of a bound network, uniform in +-1/sqrt(columns), of a vector +-1/sqrt(elements).
TensorMap random_weights(const ir::Network& network, std::uint64_t seed);

}  // namespace rnnc::tools
