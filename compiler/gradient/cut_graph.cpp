#include "compiler/gradient/cut_graph.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "compiler/gradient/reverse.hpp"
#include "ir/scan.hpp"

namespace rnnc::compiler {

using ir::Node;
using ir::Op;
using ir::Value;

Value flat(ir::Graph& graph, Value value) {
  const std::size_t rank = graph[value].type.rank();
  if (rank == 0) return graph.append({.op = Op::Fill, .operands = {value}, .ranges = {{0, 1}}});
  if (rank == 1) return value;
  return graph.append({.op = Op::Rows, .row_op = ir::RowOp::Flatten, .operands = {value}});
}

Value sum_features(ir::Graph& graph, Value value) {
  const ir::Type type = graph[value].type;
  if (!type.is_sequence()) return graph.reduce(ir::Reduction::Sum, {value});
  ir::Cell cell;
  cell.name = "sum_" + std::to_string(elements(type));
  Value x = cell.append({.op = Op::Input, .name = "x", .type = {{elements(type)}}});
  if (type.rank() == 2) {
    cell.name = "sum_" + std::to_string(type.dims[0].value()) + "_rows_" + std::to_string(type.dims[1].value());
    x = shaped(cell, x, {.dims = type.dims});
  }
  x = cell.reduce(ir::Reduction::Sum, {x});
  cell.statements.push_back({ir::Statement::Kind::Output, "", type.rank() == 2 ? flat(cell, x) : x, {}});
  const Value sum = graph.append(
      {.op = Op::Scan,
       .operands = {flat(graph, value)},
       .scan = std::make_shared<const ir::Scan>(ir::Scan{.cell = std::make_shared<const ir::Cell>(std::move(cell))}),
       .name = free_name(graph, "sum")});
  return type.rank() == 2 ? shaped(graph, sum, {.dims = {type.dims[0], 1}}) : sum;
}

Value shaped(ir::Graph& graph, Value vector, const ir::Type& type) {
  if (type.rank() == 0) return sum_features(graph, vector);
  if (type.rank() == 1) return vector;
  return graph.append(
      {.op = Op::Rows, .row_op = ir::RowOp::Split, .operands = {vector}, .ranges = {{0, type.dims[0]}}});
}

void CutGraph::read(Value value, const std::string& name) {
  const ir::Type& type = from_[value].type;
  if (to_.kind == ir::Graph::Kind::Network && type.rank() == 0) {
    copies_[value] = to_.append({.op = Op::Input, .name = name, .type = type});
    return;
  }
  const Value vector =
      to_.append({.op = Op::Input, .name = name, .type = {.dims = {elements(type)}, .axis = type.axis}});
  copies_[value] = shaped(to_, vector, type);
}

void CutGraph::keep_state(Value state) {
  copies_[state] = to_.append({.op = Op::State, .name = from_[state].name, .type = from_[state].type});
}

Value CutGraph::copy(Value value) {
  std::set<Value> needed;
  std::vector<Value> open = {value};
  while (!open.empty()) {
    const Value next = open.back();
    open.pop_back();
    if (const auto offer = offered_.find(next); offer != offered_.end() && !has(next)) read(next, offer->second);
    if (has(next) || !needed.insert(next).second) continue;
    const Node& node = from_[next];
    open.insert(open.end(), node.operands.begin(), node.operands.end());
  }
  for (const Value next : needed) {  // in the order of the nodes
    Node node = from_[next];
    for (Value& operand : node.operands) operand = copies_.at(operand);
    copies_[next] = to_.append(std::move(node));
  }
  return copies_.at(value);
}

void CutGraph::say_names(const std::vector<ir::NamedValue>& names) {
  std::vector<ir::Statement> said;
  const auto say = [&](const std::string& name, Value value) {
    said.push_back({ir::Statement::Kind::Let, name, value, {}});
  };
  for (std::size_t i = 0; i < to_.nodes.size(); ++i)
    if (to_.nodes[i].op == Op::Scan) say(to_.nodes[i].name, {static_cast<std::uint32_t>(i)});
  for (const ir::NamedValue& named : names) {
    const auto found = copies_.find(named.value);
    if (found == copies_.end() || ir::is_declaration(to_[found->second])) continue;
    if (free_name(to_, named.name) == named.name) say(named.name, found->second);
  }
  // A text names a value before it is used.
  std::ranges::stable_sort(said, {}, &ir::Statement::value);
  to_.statements.insert(to_.statements.begin(), said.begin(), said.end());
}

}  // namespace rnnc::compiler
