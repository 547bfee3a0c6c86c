#include "ir/warnings.hpp"

#include <string>

namespace rnnc::ir {

namespace {

// Returns for each node whether an output or a next value of a state depends on it. A value that is only named is not
// needed by that.
std::vector<bool> needed_nodes(const Graph& graph) {
  std::vector<bool> needed(graph.nodes.size());
  for (const Statement& statement : graph.statements)
    if (statement.kind != Statement::Kind::Let) needed[statement.value.index] = true;
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    if (!needed[i]) continue;
    for (const Value operand : graph.nodes[i].operands) needed[operand.index] = true;
  }
  return needed;
}

}  // namespace

std::vector<Note> warnings(const Graph& graph) {
  const std::vector<bool> needed = needed_nodes(graph);
  const std::string kind(graph.kind_name());
  const std::string results = graph.kind == Graph::Kind::Cell ? "neither the output nor a next state" : "no output";
  std::vector<Note> found;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (needed[i] || (node.op != Op::Input && node.op != Op::Param)) continue;
    const std::string what = node.op == Op::Input ? "input " : "parameter ";
    found.push_back({graph.place(node.location), what + node.name + " is not used: " + results + " of " + kind + " " +
                                                     graph.name + " depends on it"});
  }
  return found;
}

}  // namespace rnnc::ir
