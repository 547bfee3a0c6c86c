// Facts about the nodes of a cell that several passes ask for; each is one walk in topological order.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ir/cell.hpp"

namespace rnnc::compiler {

/// Elements of a vector, 1 of a scalar, rows of a matrix.
std::int64_t size_of(const ir::Node& node);

/// When a value can be computed: once when weights are packed (it depends on parameters only), for a chunk of time
/// steps at once (it depends on inputs, but on no state), or step by step.
enum class Phase : std::uint8_t { Once, Sequence, Step };

std::string_view name(Phase phase);

/// The phase of each node: the earliest, but for products of few columns that only start chains of the recurrence.
std::vector<Phase> phases(const ir::Cell& cell);

/// Whether the value is a parameter, input, state or constant, or a slice of one: there without being computed.
bool is_free(const ir::Cell& cell, ir::Value value);

/// Whether the value is one gate of a stacked product: the rows of one of its matrices.
bool is_gate(const ir::Cell& cell, ir::Value value);

/// Indices of the live nodes that have each node as an operand; a Next or Output statement counts as the user `kRoot`.
inline constexpr std::uint32_t kRoot = ~0u;
std::vector<std::vector<std::uint32_t>> users(const ir::Cell& cell);

/// Whether each value goes through memory: a later stage of its phase needs it lane by lane, or any stage all of it at
/// once. A map of values that do is computed again rather than stored.
std::vector<bool> stored_values(const ir::Cell& cell);

/// How often a complete vector (for a product, a reduction, a slice or a concat) has to be waited for before the value
/// can be computed, counted within its phase.
std::vector<int> depths(const ir::Cell& cell);

/// `depth` of a node as a complete vector: nothing to wait for where it is free.
int complete_depth(const ir::Cell& cell, const std::vector<int>& depths, ir::Value value);

}  // namespace rnnc::compiler
