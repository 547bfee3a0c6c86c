// A cell becomes the same cell with a Hoist node between each value of an earlier phase and its users in a later phase.
// The Hoist node tells the schedule that the value is stored in one phase and loaded in another. Free values need no
// Hoist node: they are in memory already.
#include <map>
#include <vector>

#include "compiler/passes/analysis.hpp"
#include "compiler/passes/copy_forward.hpp"
#include "compiler/passes/pass.hpp"

namespace rnnc::compiler {

using ir::Cell;
using ir::Node;
using ir::Op;
using ir::Value;

Cell hoist(const Cell& cell) {
  const std::vector<Phase> phase = phases(cell);
  const std::vector<bool> live = live_nodes(cell);
  std::vector<Value> replaced(cell.nodes.size());
  std::map<Value, Value> hoisted;
  Cell to = like(cell);

  const auto seen_from = [&](Phase user, Value value) {
    if (phase[value.index] >= user || is_free(cell, value) || cell[value].type.rank() == 2)
      return replaced[value.index];
    const auto [entry, first] = hoisted.try_emplace(value);
    if (first) entry->second = to.append({.op = Op::Hoist, .operands = {replaced[value.index]}});
    return entry->second;
  };

  for (std::size_t i = 0; i < cell.nodes.size(); ++i) {
    if (!live[i]) continue;
    Node node = cell.nodes[i];
    for (Value& operand : node.operands) operand = seen_from(phase[i], operand);
    replaced[i] = to.append(std::move(node));
  }
  for (ir::Statement statement : cell.statements) {
    if (!live[statement.value.index]) continue;
    statement.value =
        ir::needs_value(statement) ? seen_from(Phase::Step, statement.value) : replaced[statement.value.index];
    to.statements.push_back(std::move(statement));
  }
  return to;
}

}  // namespace rnnc::compiler
