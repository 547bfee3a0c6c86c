// Passes rebuild a cell with these functions: a cell goes in, and a new cell with only live nodes comes out. Nodes are
// copied in order, so the operands of a node are replaced before the pass sees the node.
#pragma once

#include <functional>
#include <vector>

#include "ir/cell.hpp"

namespace rnnc::compiler {

/// Tells for each node whether it is live: declarations are, and so is every node that a Next or Output statement
/// reaches.
std::vector<bool> live_nodes(const ir::Cell& cell);

/// Returns an empty cell with the same name, file, place and declared dims.
ir::Cell like(const ir::Cell& cell);

/// Copies statements through `replaced` (old index -> new value). A statement that names a dead value is dropped.
void copy_statements(const ir::Cell& from, const std::vector<bool>& live, const std::vector<ir::Value>& replaced,
                     ir::Cell& to);

/// Returns the new cell. `rewrite(to, node)` gets a copy of each live node, whose operands are already values of `to`,
/// and returns the value of `to` that replaces the node.
ir::Cell copy_forward(const ir::Cell& from, const std::function<ir::Value(ir::Cell& to, ir::Node node)>& rewrite);

}  // namespace rnnc::compiler
