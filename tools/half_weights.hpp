// The weights of a network that products read are rounded to the format of --weights-as. A program with such weights
// has the results that an f32 program has with the rounded ones, so that these are what it is compared with.
#pragma once

#include <rnnc/tensor.hpp>
#include <rnnc/weight_format.hpp>

#include "ir/cell.hpp"

namespace rnnc::tools {

/// Returns the weights, f32, with those rounded that a product of the network reads.
Result<TensorMap> rounded_weights(const ir::Network& network, TensorMap weights, WeightFormat format);

}  // namespace rnnc::tools
