// A network and a batch become the errors that rounding to f32 may make in each of their results, whatever computes
// them.
#pragma once

#include <rnnc/tensor.hpp>

#include "ir/interpret_network.hpp"
#include "tools/progress.hpp"
#include "tools/sequence.hpp"

namespace rnnc::tools {

/// Returns for each value of `exact`, the results of run_in_pieces, how far roundings of all operations may move it:
/// infinite where they may take it out of the range of f32. Runs the interpreter once for each of
/// ir::rounding_patterns.
SequenceResult rounding_errors(const ir::Network& network, const TensorMap& weights, const ir::NetworkBatch& batch,
                               const ir::NamedVectors& states, bool streams, const SequenceResult& exact,
                               const Report& report);

}  // namespace rnnc::tools
