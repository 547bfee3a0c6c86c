// The derivative of a function of elements stands in ir/ops.def as text. It becomes nodes of a graph here.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "ir/graph.hpp"

namespace rnnc::compiler {

/// Appends the cotangent of operand `which` of `result`, a Map of `graph` whose cotangent is `cotangent`, and returns
/// it. It has the type of the cotangent, also if the operand is spread over more elements. nullopt stands for 0.
std::optional<ir::Value> pull_back(ir::Graph& graph, ir::Value result, ir::Value cotangent, std::size_t which);

}  // namespace rnnc::compiler
