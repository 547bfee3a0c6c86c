// The one way in which passes rebuild a cell: walk the live nodes in order, hand each to the pass with its operands
// already replaced, and keep what the pass answers.
#pragma once

#include <functional>
#include <vector>

#include "ir/cell.hpp"

namespace rnnc::compiler {

/// Live are declarations and what a Next or Output statement reaches.
std::vector<bool> live_nodes(const ir::Cell& cell);

/// An empty cell with the same name, file and declared dims.
ir::Cell like(const ir::Cell& cell);

/// Copies statements through `replaced` (old index -> new value); those that name dead values are dropped.
void copy_statements(const ir::Cell& from, const std::vector<bool>& live, const std::vector<ir::Value>& replaced,
                     ir::Cell& to);

/// `rewrite(to, node)` gets a copy of each live node whose operands are values of `to`, and answers the value that
/// stands for it there.
ir::Cell copy_forward(const ir::Cell& from, const std::function<ir::Value(ir::Cell& to, ir::Node node)>& rewrite);

}  // namespace rnnc::compiler
