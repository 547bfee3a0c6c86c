// Products of one vector become one stacked product, and a slice of the stacked product, a gate, replaces each of them.
// Stacking moves products past each other, so all nodes are ordered again. The order of products in chain.cpp makes
// sure that an order exists.
#include <functional>
#include <map>
#include <queue>
#include <tuple>
#include <utility>
#include <vector>

#include "compiler/passes/analysis.hpp"
#include "compiler/passes/copy_forward.hpp"
#include "compiler/passes/pass.hpp"
#include "ir/check.hpp"

namespace rnnc::compiler {
namespace {

using ir::Cell;
using ir::Dim;
using ir::Node;
using ir::Op;
using ir::Value;

class Fuser {
 public:
  explicit Fuser(const Cell& from) : from_(from), live_(live_nodes(from)), replaced_(from.nodes.size()) {
    find_groups();
  }

  Cell run() {
    to_ = like(from_);
    std::size_t done = 0, wanted = 0;
    for (std::uint32_t i = 0; i < from_.nodes.size(); ++i) wanted += live_[i] && leader_[i] == i;
    for (std::uint32_t i : order()) {
      emit(i);
      ++done;
    }
    RNNC_ASSERT(done == wanted, &from_);
    copy_statements(from_, live_, replaced_, to_);
    return std::move(to_);
  }

 private:
  // leader_[i] is the first node of the group that node i belongs to. It is i itself unless i is a product that is
  // stacked with an earlier one.
  void find_groups() {
    std::map<std::tuple<Value, std::int64_t, int>, std::uint32_t> leaders;
    std::vector<int> position(from_.nodes.size());
    for (std::uint32_t i = 0; i < from_.nodes.size(); ++i) {
      leader_.push_back(i);
      members_.push_back({i});
      const Node& node = from_.nodes[i];
      if (!live_[i] || node.op != Op::Project) continue;
      // A chain may pass through several products of one vector. Only products at the same position of their chains can
      // be stacked.
      const Value start = node.operands[2];
      if (from_[start].op == Op::Project && from_[start].operands[0] == node.operands[0])
        position[i] = position[start.index] + 1;
      const auto [entry, first] = leaders.try_emplace({node.operands[0], node.type.dims[0].value(), position[i]}, i);
      if (first) continue;
      leader_[i] = entry->second;
      members_[entry->second].push_back(i);
    }
  }

  // Orders groups by Kahn's algorithm. The earliest ready group comes first, so a node that need not move keeps its
  // position.
  std::vector<std::uint32_t> order() const {
    std::vector<std::vector<std::uint32_t>> users(from_.nodes.size());
    std::vector<int> waits(from_.nodes.size());
    for (std::uint32_t i = 0; i < from_.nodes.size(); ++i) {
      if (!live_[i]) continue;
      for (Value operand : from_.nodes[i].operands) {
        users[leader_[operand.index]].push_back(leader_[i]);
        ++waits[leader_[i]];
      }
    }
    std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> ready;
    for (std::uint32_t i = 0; i < from_.nodes.size(); ++i)
      if (live_[i] && leader_[i] == i && waits[i] == 0) ready.push(i);
    std::vector<std::uint32_t> result;
    while (!ready.empty()) {
      const std::uint32_t i = ready.top();
      ready.pop();
      result.push_back(i);
      for (std::uint32_t user : users[i])
        if (--waits[user] == 0) ready.push(user);
    }
    return result;
  }

  void emit(std::uint32_t leader) {
    Node node = from_.nodes[leader];
    for (Value& operand : node.operands) operand = replaced_[operand.index];
    const std::vector<std::uint32_t>& members = members_[leader];
    for (std::size_t j = 1; j < members.size(); ++j)
      for (std::size_t k = 1; k <= 2; ++k)
        node.operands.push_back(replaced_[from_.nodes[members[j]].operands[k].index]);
    const Value stacked = to_.append(std::move(node));
    if (members.size() == 1) {
      replaced_[leader] = stacked;
      return;
    }
    const Dim rows = from_.nodes[leader].type.dims[0];
    for (std::size_t j = 0; j < members.size(); ++j) {
      const Dim begin = Dim(static_cast<std::int64_t>(j)) * rows;
      replaced_[members[j]] = to_.slice(stacked, begin, begin + rows);
    }
  }

  const Cell& from_;
  Cell to_;
  std::vector<bool> live_;
  std::vector<Value> replaced_;
  std::vector<std::uint32_t> leader_;
  std::vector<std::vector<std::uint32_t>> members_;
};

}  // namespace

Cell fuse_gates(const Cell& cell) { return Fuser(cell).run(); }

}  // namespace rnnc::compiler
