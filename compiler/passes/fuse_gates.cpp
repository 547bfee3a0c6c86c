// Products of one vector become one stacked product, and a slice of the stacked product, a gate, replaces each of them.
// Rows of a step that are multiplied at the edges lack some of the matrices that all others have; these rows get gates
// that nothing reads, so that the weights of all are packed once. Stacking moves products past each other, so all nodes
// are ordered again. The order of products in chain.cpp makes sure that an order exists.
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <set>
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
    complete_groups();
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

  using Matrices = std::vector<Value>;

  Matrices matrices_of_group(std::uint32_t leader) const {
    Matrices matrices;
    for (const std::uint32_t member : members_[leader]) matrices.push_back(from_.nodes[member].operands[1]);
    return matrices;
  }

  // Fills stacks_. A group gets the matrices of a larger one that has all of its own, if all that are completed like
  // this add no more than an eighth to the products of the groups that have them anyhow.
  void complete_groups() {
    // A convolution of 16 rows with 3 taps and zeros around them packs a third of the weights with this. On a Zen 5, a
    // step alone takes as long as before, and batches take 5 to 7 % longer.
    constexpr std::size_t kLeastShare = 8;
    std::map<Matrices, std::size_t> times;  // by the matrices of a group: the groups that have them
    for (std::uint32_t i = 0; i < from_.nodes.size(); ++i) {
      const bool is_group = live_[i] && leader_[i] == i && from_.nodes[i].op == Op::Project;
      stacks_.push_back(is_group ? matrices_of_group(i) : Matrices());
      if (is_group) ++times[stacks_[i]];
    }
    std::map<Matrices, Matrices> larger;
    std::map<Matrices, std::size_t> added;  // by the larger ones
    for (const auto& [own, count] : times) {
      const Matrices* found = nullptr;
      for (const auto& [other, others] : times)
        if (is_part_of(own, other) && (!found || other.size() < found->size())) found = &other;
      if (!found) continue;
      larger[own] = *found;
      added[*found] += count * (found->size() - own.size());
    }
    for (Matrices& stack : stacks_) {
      const auto found = larger.find(stack);
      if (found == larger.end()) continue;
      const Matrices& whole = found->second;
      if (added[whole] * kLeastShare <= times[whole] * whole.size()) stack = whole;
    }
  }

  // Tells whether `whole` has more matrices, and all of `part`; none of either twice.
  static bool is_part_of(const Matrices& part, const Matrices& whole) {
    if (part.size() >= whole.size()) return false;
    const std::set<Value> all(whole.begin(), whole.end()), some(part.begin(), part.end());
    return all.size() == whole.size() && some.size() == part.size() && std::ranges::includes(all, some);
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
      for (const Value matrix : stacks_[i]) {
        users[leader_[matrix.index]].push_back(i);
        ++waits[i];
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
    const Matrices& stack = stacks_[leader];
    if (stack.size() < 2) {
      for (Value& operand : node.operands) operand = replaced_[operand.index];
      replaced_[leader] = to_.append(std::move(node));
      return;
    }
    node.operands = {replaced_[node.operands[0].index]};
    const Dim rows = node.type.dims[0];
    std::vector<std::optional<std::uint32_t>> gates = gates_of(leader);
    for (std::size_t k = 0; k < stack.size(); ++k) {
      node.operands.push_back(replaced_[stack[k].index]);
      node.operands.push_back(gates[k] ? replaced_[from_.nodes[*gates[k]].operands[2].index] : to_.constant(0));
    }
    const Value stacked = to_.append(std::move(node));
    for (std::size_t k = 0; k < gates.size(); ++k) {
      if (!gates[k]) continue;
      const Dim begin = Dim(static_cast<std::int64_t>(k)) * rows;
      replaced_[*gates[k]] = to_.slice(stacked, begin, begin + rows);
    }
  }

  // Returns the member of a group that is each gate of its stack; none where nothing reads the gate.
  std::vector<std::optional<std::uint32_t>> gates_of(std::uint32_t leader) const {
    const std::vector<std::uint32_t>& members = members_[leader];
    const Matrices& stack = stacks_[leader];
    if (stack.size() == members.size()) return {members.begin(), members.end()};
    std::vector<std::optional<std::uint32_t>> gates(stack.size());
    for (const std::uint32_t member : members) {
      const auto at = std::ranges::find(stack, from_.nodes[member].operands[1]);
      gates[static_cast<std::size_t>(at - stack.begin())] = member;
    }
    return gates;
  }

  const Cell& from_;
  Cell to_;
  std::vector<bool> live_;
  std::vector<Value> replaced_;
  std::vector<std::uint32_t> leader_;
  std::vector<std::vector<std::uint32_t>> members_;
  std::vector<Matrices> stacks_;  // the matrices of each group's product, by its leader
};

}  // namespace

Cell fuse_gates(const Cell& cell) { return Fuser(cell).run(); }

}  // namespace rnnc::compiler
