// Cells and networks are checked here, and their symbolic dims are replaced by numbers.
#pragma once

#include <cstddef>
#include <string>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>
#include "ir/cell.hpp"

namespace rnnc::ir {

inline constexpr std::size_t kMaxNodes = 1000000;  // of a graph, and of a text

/// Returns the type that `node` has as the next node of `graph`; or an error at the node, with both shapes and a note
/// that tells where the operands were declared.
Result<Type> infer_type(const Graph& graph, const Node& node);

/// Checks the whole graph, by its kind: operands come before their users, types follow, names are declared once, every
/// state has exactly one next value of its type, there is one output of rank 0 or 1, hoisted values depend on no state,
/// dims are at least 1 and sizes within limits (a dim <= 2^24, elements of a tensor <= 2^31, nodes <= 1e6). A network
/// has no states; each of its scans has a name that no other has.
Result<void> verify(const Graph& graph);

/// Replaces every symbolic dim of the graph and verifies the result. Errors name a dim that is missing, unknown, or <
/// 1.
Result<Cell> bind_dims(const Cell& cell, const DimBindings& bindings);
Result<Network> bind_dims(const Network& network, const DimBindings& bindings);

/// Adds to `bindings` the dims that follow from the shapes of weights_of(graph) (safetensors names -> shapes). Errors:
/// a shape of the wrong rank, or one that contradicts another or a given binding; missing tensors are not an error.
Result<DimBindings> infer_dims(const Graph& graph, const std::map<std::string, Shape>& shapes, DimBindings bindings);

}  // namespace rnnc::ir
