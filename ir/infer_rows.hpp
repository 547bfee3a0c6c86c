// The typing rules of rows: of the ops that make them, and of functions and reductions that have rows as an operand.
#pragma once

#include <rnnc/result.hpp>
#include "ir/graph.hpp"

namespace rnnc::ir {

/// A step may have so many rows at most: a graph computes each of them by nodes of its own.
inline constexpr std::int64_t kMostRows = 4096;

/// Returns the type of an op of rows.
Result<Type> infer_rows(const Graph& graph, const Node& node);

/// Tells whether an operand of the node is rows.
bool has_rows(const Graph& graph, const Node& node);

/// Returns the type of a Map or a Reduce that has rows, and operands in the number that its table says.
Result<Type> infer_map_of_rows(const Graph& graph, const Node& node);
Result<Type> infer_reduce_of_rows(const Graph& graph, const Node& node);

}  // namespace rnnc::ir
