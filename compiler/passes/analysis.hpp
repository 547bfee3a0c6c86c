// These functions take a cell and return facts about its nodes that several passes need: phases, depths and users. They
// change nothing.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ir/cell.hpp"

namespace rnnc::compiler {

/// Returns the number of elements of a vector, 1 for a scalar, the number of rows of a matrix.
std::int64_t size_of(const ir::Node& node);

/// The time at which a value can be computed: once when weights are packed (the value depends on parameters only), for
/// a chunk of time steps at once (the value depends on inputs, but on no state), or step by step.
enum class Phase : std::uint8_t { Once, Sequence, Step };

std::string_view name(Phase phase);

/// Returns the earliest phase of each node. One exception: a product of few columns that only starts chains of the
/// recurrence is left to the step.
std::vector<Phase> phases(const ir::Cell& cell);

/// Returns the phase of each node of a cell that hoist() has made: an element-wise value that neither a Hoist nor a
/// value of an earlier phase reads was left to the step.
std::vector<Phase> phases_of_hoisted(const ir::Cell& cell);

/// The same, for code that computes nothing ahead of the steps (leave_in_step): no value is of the phase Sequence.
std::vector<Phase> phases_in_step(const ir::Cell& cell);

/// Returns the cost of a function in multiply-adds.
int operations_of(ir::Function function);

/// Tells whether the value is a parameter, input, state or constant, or a slice of one. Such a value needs no code.
bool is_free(const ir::Cell& cell, ir::Value value);

/// Tells whether the value is one gate of a stacked product, that is the rows of one of the product's matrices.
bool is_gate(const ir::Cell& cell, ir::Value value);

/// Returns the matrices that a Project multiplies, one for each gate. Products of equal matrices read equal weights.
std::vector<ir::Value> matrices_of(const ir::Cell& cell, ir::Value product);

/// Returns for each node the indices of the live nodes that have this node as an operand. A Next or Output statement
/// counts as the user `kRoot`.
inline constexpr std::uint32_t kRoot = ~0u;
std::vector<std::vector<std::uint32_t>> users(const ir::Cell& cell);

/// Tells for each value whether it is stored in memory: a later stage of its phase reads it lane by lane, or any stage
/// reads all of it at once. A map of stored values is computed again in each stage instead of being stored too.
std::vector<bool> stored_values(const ir::Cell& cell);

/// Tells the same for other phases, and stages of other depths. `cut` says that stages were cut: scalars are then
/// stored as vectors are.
std::vector<bool> stored_values(const ir::Cell& cell, std::vector<Phase> phases, std::vector<int> depths, bool cut);

/// Returns for each node how many complete vectors have to be finished, one after the other, before the node can be
/// computed. Only nodes of the same phase count. A product, a reduction, a slice and a concat need complete vectors.
std::vector<int> depths(const ir::Cell& cell);

/// Returns the depth of node `i` if the nodes before it have `depths`.
int depth_of(const ir::Cell& cell, const std::vector<Phase>& phases, const std::vector<int>& depths, std::uint32_t i);

/// Returns the depth at which the complete vector of `value` can be read: one more than the depth of the value, unless
/// the value is free or already complete.
int complete_depth(const ir::Cell& cell, const std::vector<int>& depths, ir::Value value);

}  // namespace rnnc::compiler
