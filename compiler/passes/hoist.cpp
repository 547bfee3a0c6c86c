// A cell becomes the same cell with a Hoist node between each value of an earlier phase and its users in a later phase.
// The Hoist node tells the schedule that the value is stored in one phase and loaded in another. Free values need no
// Hoist node: they are in memory already. A few cheap functions of values that the step loads anyway stay in the step,
// since it would take longer to store and load their value.
#include <algorithm>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "compiler/passes/analysis.hpp"
#include "compiler/passes/copy_forward.hpp"
#include "compiler/passes/pass.hpp"

namespace rnnc::compiler {

using ir::Cell;
using ir::Node;
using ir::Op;
using ir::Value;

namespace {

// So many multiply-adds, one behind the other, take less time than to store and load a vector for each step of a chunk:
// the backward pass of an LSTM, whose step has terms like 1 - g * g, takes 5 % less at 256 units and 64 sequences
// on a Xeon with AVX-512.
constexpr int kMostBehind = 3;

// Finds the values that are left to the step.
class LeftToStep {
 public:
  LeftToStep(const Cell& cell, const std::vector<Phase>& phase)
      : cell_(cell), phase_(phase), users_(users(cell)), left_(cell.nodes.size(), false) {}

  std::vector<bool> run() {
    find_candidates();
    for (bool any = true; any;) {
      any = drop_those_that_load();
      any = drop_those_read_early() || any;
    }
    return std::move(left_);
  }

 private:
  // A candidate is a function of one operation that the step alone reads.
  void find_candidates() {
    std::vector<int> spare(cell_.nodes.size(), 0);
    for (std::size_t i = cell_.nodes.size(); i-- > 0;) {
      const Node& node = cell_.nodes[i];
      if (node.op != Op::Map || node.type.rank() != 1 || phase_[i] != Phase::Sequence || users_[i].empty()) continue;
      if (operations_of(node.function) > 1) continue;
      int least = kMostBehind;
      for (const std::uint32_t user : users_[i]) {
        const bool is_of_step = user != kRoot && cell_.nodes[user].op == Op::Map;
        least = !is_of_step ? 0 : phase_[user] == Phase::Step ? least : std::min(least, left_[user] ? spare[user] : 0);
      }
      left_[i] = least > 0;
      spare[i] = least - 1;
    }
  }

  bool is_loaded_anyway(Value value) const {
    if (phase_[value.index] == Phase::Once || left_[value.index]) return true;
    return std::ranges::any_of(users_[value.index], [&](std::uint32_t user) {
      return user != kRoot && phase_[user] == Phase::Step && cell_.nodes[user].op == Op::Map;
    });
  }

  // Both return whether they dropped any.
  bool drop_those_that_load() {
    return drop([&](std::size_t i) {
      return !std::ranges::all_of(cell_.nodes[i].operands, [&](Value operand) { return is_loaded_anyway(operand); });
    });
  }

  bool drop_those_read_early() {
    return drop([&](std::size_t i) {
      return !std::ranges::all_of(users_[i],
                                  [&](std::uint32_t user) { return phase_[user] == Phase::Step || left_[user]; });
    });
  }

  bool drop(const std::function<bool(std::size_t)>& is_wrong) {
    bool any = false;
    for (std::size_t i = 0; i < left_.size(); ++i)
      if (left_[i] && is_wrong(i)) {
        left_[i] = false;
        any = true;
      }
    return any;
  }

  const Cell& cell_;
  const std::vector<Phase>& phase_;
  const std::vector<std::vector<std::uint32_t>> users_;
  std::vector<bool> left_;
};

}  // namespace

Cell hoist(const Cell& cell) {
  std::vector<Phase> phase = phases(cell);
  const std::vector<bool> left = LeftToStep(cell, phase).run();
  for (std::size_t i = 0; i < left.size(); ++i)
    if (left[i]) phase[i] = Phase::Step;
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

Cell leave_in_step(const Cell& cell) {
  const std::vector<Phase> phase = phases(cell);
  const std::vector<bool> live = live_nodes(cell);
  std::vector<Value> replaced(cell.nodes.size());
  Cell to = like(cell);
  for (std::size_t i = 0; i < cell.nodes.size(); ++i) {
    if (!live[i]) continue;
    Node node = cell.nodes[i];
    for (Value& operand : node.operands) operand = replaced[operand.index];
    const bool is_ahead = node.op == Op::Hoist && phase[i] == Phase::Sequence;
    replaced[i] = is_ahead ? node.operands[0] : to.append(std::move(node));
  }
  copy_statements(cell, live, replaced, to);
  return to;
}

}  // namespace rnnc::compiler
