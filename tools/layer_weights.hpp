// The weights of a stack of one cell become those of each layer and direction, as other libraries want them.
#pragma once

#include <vector>

#include <rnnc/tensor.hpp>

#include "tools/bench_job.hpp"

namespace rnnc::tools {

/// Returns, for each layer, the tensors of its one or two directions under the cell's own names.
std::vector<std::vector<TensorMap>> weights_by_layer(const BenchJob& job);

}  // namespace rnnc::tools
