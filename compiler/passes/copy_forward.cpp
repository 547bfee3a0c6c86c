#include "compiler/passes/copy_forward.hpp"

#include <utility>

namespace rnnc::compiler {

std::vector<bool> live_nodes(const ir::Cell& cell) {
  std::vector<bool> live(cell.nodes.size());
  for (const ir::Statement& statement : cell.statements)
    if (ir::needs_value(statement)) live[statement.value.index] = true;
  for (std::size_t i = cell.nodes.size(); i-- > 0;) {
    const ir::Node& node = cell.nodes[i];
    const bool declared = node.op == ir::Op::Input || node.op == ir::Op::State || node.op == ir::Op::Param;
    if (declared) live[i] = true;
    if (!live[i]) continue;
    for (ir::Value operand : node.operands) live[operand.index] = true;
  }
  return live;
}

ir::Cell like(const ir::Cell& cell) {
  ir::Cell result;
  result.name = cell.name;
  result.source = cell.source;
  result.dims = cell.dims;
  result.location = cell.location;
  return result;
}

void copy_statements(const ir::Cell& from, const std::vector<bool>& live, const std::vector<ir::Value>& replaced,
                     ir::Cell& to) {
  for (ir::Statement statement : from.statements) {
    if (!live[statement.value.index]) continue;
    statement.value = replaced[statement.value.index];
    to.statements.push_back(std::move(statement));
  }
}

ir::Cell copy_forward(const ir::Cell& from, const std::function<ir::Value(ir::Cell&, ir::Node)>& rewrite) {
  const std::vector<bool> live = live_nodes(from);
  std::vector<ir::Value> replaced(from.nodes.size());
  ir::Cell to = like(from);
  for (std::size_t i = 0; i < from.nodes.size(); ++i) {
    if (!live[i]) continue;
    ir::Node node = from.nodes[i];
    for (ir::Value& operand : node.operands) operand = replaced[operand.index];
    replaced[i] = rewrite(to, std::move(node));
  }
  copy_statements(from, live, replaced, to);
  return to;
}

}  // namespace rnnc::compiler
