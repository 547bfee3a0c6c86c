// A graph that verifies may still hold what its author did not mean: declarations that make no difference.
#pragma once

#include <vector>

#include <rnnc/result.hpp>
#include "ir/graph.hpp"

namespace rnnc::ir {

/// Returns a warning for each input and parameter that no output and no next value of a state depends on, in the order
/// of their declarations.
std::vector<Note> warnings(const Graph& graph);

}  // namespace rnnc::ir
