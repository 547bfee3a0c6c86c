#include "compiler/network/levels.hpp"

#include <algorithm>

#include "ir/network_op.hpp"

namespace rnnc::compiler {
namespace {

using ir::Network;
using ir::Node;
using ir::Op;
using ir::Value;

Role role_of(const Node& node) {
  switch (ir::network_op(node.op)) {
    case ir::NetworkOp::Input: return Role::Input;
    case ir::NetworkOp::Scan: return Role::Scan;
    case ir::NetworkOp::FinalState: return Role::FinalState;
    case ir::NetworkOp::OverTime: return Role::OverTime;
    case ir::NetworkOp::View: return Role::View;
    case ir::NetworkOp::Expression: return Role::Expression;
  }
  return Role::Expression;
}

}  // namespace

Levels::Levels(const Network& n)
    : network(n), live(n.nodes.size()), bases(n.nodes.size()), sources(n.nodes.size()), level(n.nodes.size()) {
  find_roles();
  find_live();
  find_bases();
  rise();
  sink();
  find_read();
}

void Levels::find_roles() {
  std::vector<bool> varies(network.nodes.size());
  for (Index i = 0; i < varies.size(); ++i) {
    const Node& node = network.nodes[i];
    varies[i] = node.op == Op::Input || node.op == Op::Scan ||
                std::any_of(node.operands.begin(), node.operands.end(), [&](Value v) { return varies[v.index]; });
    roles.push_back(varies[i] ? role_of(node) : Role::Static);
  }
}

void Levels::find_live() {
  for (const ir::NamedValue& output : network.outputs()) live[output.value.index] = true;
  for (Index i = static_cast<Index>(live.size()); i-- > 0;) {
    live[i] = live[i] || roles[i] == Role::Scan;
    if (!live[i]) continue;
    for (const Value operand : network.nodes[i].operands) live[operand.index] = true;
  }
}

void Levels::find_bases() {
  for (Index i = 0; i < live.size(); ++i) {
    if (!live[i]) continue;
    std::set<Index> below;
    for (const Value v : network.nodes[i].operands) below.insert(bases[v.index].begin(), bases[v.index].end());
    const bool view = roles[i] == Role::View;
    (view ? bases : sources)[i].assign(below.begin(), below.end());
    if (!view) bases[i] = {i};
  }
}

// Gives each node the lowest level that its operands allow.
void Levels::rise() {
  for (Index i = 0; i < live.size(); ++i) {
    for (const Index source : sources[i]) {
      if (roles[source] == Role::Static) continue;
      const bool same_call =
          roles[i] == Role::FinalState || (is_expression(i) && is_expression(source) && axis(i) == axis(source));
      level[i] = std::max(level[i], level[source] + (same_call ? 0 : 1));
    }
    if (is_expression(i) || roles[i] == Role::Scan || roles[i] == Role::OverTime) level[i] = std::max(level[i], 1);
  }
}

// Moves an expression to the level of its readers if they are expressions of one level and of its own timeline: the
// call of the readers then computes it.
void Levels::sink() {
  constexpr int kNobody = -1, kMany = -2;
  std::vector<int> readers(live.size(), kNobody);
  for (const ir::NamedValue& output : network.outputs())
    for (const Index base : bases[output.value.index]) readers[base] = kMany;
  for (Index i = static_cast<Index>(live.size()); i-- > 0;) {
    if (is_expression(i) && readers[i] >= 0) level[i] = readers[i];
    for (const Index source : sources[i]) {
      const bool same_time = is_expression(i) && axis(i) == axis(source);
      const int reader = same_time ? level[i] : kMany;
      readers[source] = readers[source] == kNobody || readers[source] == reader ? reader : kMany;
    }
  }
}

void Levels::find_read() {
  const auto add = [&](Index base) {
    if (is_expression(base) || roles[base] == Role::Static) read.insert(base);
  };
  for (Index i = 0; i < live.size(); ++i) {
    for (const Index source : sources[i]) {
      const bool inside = is_expression(i) && (roles[source] == Role::Static || together(i, source));
      if (roles[i] != Role::Static && !inside) add(source);
    }
  }
  for (const ir::NamedValue& output : network.outputs())
    for (const Index base : bases[output.value.index]) add(base);
}

}  // namespace rnnc::compiler
