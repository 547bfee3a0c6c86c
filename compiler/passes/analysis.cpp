#include "compiler/passes/analysis.hpp"

#include <algorithm>

#include "compiler/passes/copy_forward.hpp"

namespace rnnc::compiler {

using ir::Cell;
using ir::Node;
using ir::Op;
using ir::Value;

std::int64_t size_of(const ir::Node& node) { return node.type.rank() == 0 ? 1 : node.type.dims[0].value(); }

std::string_view name(Phase phase) {
  switch (phase) {
    case Phase::Once: return "once";
    case Phase::Sequence: return "sequence";
    case Phase::Step: return "step";
  }
  return "";
}

namespace {

// A product of so few columns takes less time than storing its result for a chunk of time steps and loading it again.
// For an LSTM of 16 units with 1 to 4 inputs, one sequence takes 3 to 11 % less and a batch of 16 takes 3 to 5 % more
// (docs/performance.md).
constexpr std::int64_t kMostColumnsInStep = 4;

std::int64_t columns_of(const Cell& cell, const Node& product) {
  return cell[product.operands[0]].type.dims[0].value();
}

// A small product that only starts chains of the recurrence stays in the step: the chains begin with it.
void keep_in_step(const Cell& cell, std::vector<Phase>& phase) {
  std::vector<bool> only_starts(cell.nodes.size(), true);
  for (const ir::Statement& statement : cell.statements)
    if (ir::needs_value(statement)) only_starts[statement.value.index] = false;
  for (std::size_t i = cell.nodes.size(); i-- > 0;) {
    const Node& node = cell.nodes[i];
    const bool passes_on = is_gate(cell, Value{static_cast<std::uint32_t>(i)}) && only_starts[i];
    for (std::size_t j = 0; j < node.operands.size(); ++j) {
      const bool starts = node.op == Op::Project && phase[i] == Phase::Step && j >= 2 && j % 2 == 0;
      if (!starts && !passes_on) only_starts[node.operands[j].index] = false;
    }
  }
  for (std::size_t i = 0; i < cell.nodes.size(); ++i) {
    const Node& node = cell.nodes[i];
    const auto is_kept = [&](const Node& one, std::size_t index) {
      return one.op == Op::Project && phase[index] == Phase::Sequence && only_starts[index] &&
             columns_of(cell, one) <= kMostColumnsInStep;
    };
    if (is_kept(node, i)) phase[i] = Phase::Step;
    if (is_gate(cell, Value{static_cast<std::uint32_t>(i)})) phase[i] = phase[node.operands[0].index];
  }
}

}  // namespace

std::vector<Phase> phases(const Cell& cell) {
  std::vector<Phase> result(cell.nodes.size(), Phase::Once);
  for (std::size_t i = 0; i < cell.nodes.size(); ++i) {
    const Node& node = cell.nodes[i];
    if (node.op == Op::Input) result[i] = Phase::Sequence;
    if (node.op == Op::State) result[i] = Phase::Step;
    for (Value operand : node.operands) result[i] = std::max(result[i], result[operand.index]);
  }
  keep_in_step(cell, result);
  return result;
}

std::vector<Phase> phases_of_hoisted(const Cell& cell) {
  std::vector<Phase> result = phases(cell);
  std::vector<bool> is_read_early(cell.nodes.size());
  for (std::size_t i = cell.nodes.size(); i-- > 0;) {
    const Node& node = cell.nodes[i];
    if (node.op == Op::Map && result[i] == Phase::Sequence && !is_read_early[i]) result[i] = Phase::Step;
    if (result[i] < Phase::Step || node.op == Op::Hoist)
      for (const Value operand : node.operands) is_read_early[operand.index] = true;
  }
  return result;
}

std::vector<Phase> phases_in_step(const Cell& cell) {
  std::vector<Phase> result = phases(cell);
  for (Phase& phase : result)
    if (phase == Phase::Sequence) phase = Phase::Step;
  return result;
}

// A function that is approximated is a polynomial of about 14 of them.
// A product of two such functions that divides once costs as much as both.
int operations_of(ir::Function function) {
  constexpr int kPolynomial = 14;
  const bool is_product = static_cast<std::size_t>(function) >= ir::kFunctions.size();
  if (is_product) return (function == ir::Function::SigmoidMul ? 1 : 2) * kPolynomial + 1;
  if (ir::facts(function).ulp > 0.5) return kPolynomial;
  return function == ir::Function::Div || function == ir::Function::Sqrt ? 8 : 1;
}

bool is_free(const Cell& cell, Value value) {
  const Node* node = &cell[value];
  while (node->op == Op::Slice) node = &cell[node->operands[0]];
  return node->op == Op::Input || node->op == Op::State || node->op == Op::Param || node->op == Op::Constant;
}

bool is_gate(const Cell& cell, Value value) {
  if (cell[value].op != Op::Slice) return false;
  const Node& product = cell[cell[value].operands[0]];
  return product.op == Op::Project && product.operands.size() > 3;
}

std::vector<Value> matrices_of(const Cell& cell, Value product) {
  const std::vector<Value>& operands = cell[product].operands;
  std::vector<Value> matrices;
  for (std::size_t k = 1; k < operands.size(); k += 2) matrices.push_back(operands[k]);
  return matrices;
}

std::vector<std::vector<std::uint32_t>> users(const Cell& cell) {
  std::vector<std::vector<std::uint32_t>> result(cell.nodes.size());
  const std::vector<bool> live = live_nodes(cell);
  for (std::uint32_t i = 0; i < cell.nodes.size(); ++i)
    if (live[i])
      for (Value operand : cell.nodes[i].operands) result[operand.index].push_back(i);
  for (const ir::Statement& statement : cell.statements)
    if (ir::needs_value(statement)) result[statement.value.index].push_back(kRoot);
  return result;
}

namespace {

class StoredValues {
 public:
  StoredValues(const Cell& cell, std::vector<Phase> phases, std::vector<int> depths, bool cut)
      : cell_(cell),
        users_(users(cell)),
        phases_(std::move(phases)),
        depths_(std::move(depths)),
        cut_(cut),
        stored_(cell.nodes.size()) {}

  std::vector<bool> run() {
    const std::vector<bool> live = live_nodes(cell_);
    for (std::uint32_t i = 0; i < cell_.nodes.size(); ++i)
      stored_[i] = live[i] && needs_memory(i) && (must_be_stored(i) || !can_recompute(i));
    return std::move(stored_);
  }

 private:
  const Node& node(std::uint32_t i) const { return cell_.nodes[i]; }

  // Tells whether `user` reads all of value i at once, as a slice or a product does.
  bool is_read_whole(std::uint32_t i, std::uint32_t user) const {
    const Node& u = node(user);
    return u.op == Op::Slice ? !is_gate(cell_, Value{user}) : u.op == Op::Project && u.operands[0] == Value{i};
  }

  bool needs_memory(std::uint32_t i) const {
    const Node& n = node(i);
    if (n.type.rank() == 2 || is_free(cell_, Value{i})) return false;
    if (is_always_stored(n.op)) return true;
    if ((n.type.rank() == 0 && !cut_) || (n.op == Op::Slice && !is_gate(cell_, Value{i}))) return false;
    return std::any_of(users_[i].begin(), users_[i].end(), [&](std::uint32_t user) {
      if (user == kRoot) return false;
      const bool later = phases_[user] == phases_[i] && depths_[user] > depths_[i];
      return is_read_whole(i, user) || (later && is_read_in_lanes(i, user));
    });
  }

  static bool is_always_stored(Op op) { return op == Op::Hoist || op == Op::Concat || op == Op::Reduce; }

  // Tells whether the stage of `user` reads value i lane by lane. Parts of a concat, hoisted values and operands of
  // reductions do not count: the stage that computes them uses them.
  bool is_read_in_lanes(std::uint32_t i, std::uint32_t user) const {
    const Node& u = node(user);
    if (u.op == Op::Map || u.op == Op::Fill || u.op == Op::Quantize || (u.op == Op::Lookup && cut_)) return true;
    if (u.op != Op::Project) return false;
    for (std::size_t j = 2; j < u.operands.size(); j += 2)
      if (u.operands[j].index == i) return true;
    return false;
  }

  bool must_be_stored(std::uint32_t i) const {
    return is_always_stored(node(i).op) || std::any_of(users_[i].begin(), users_[i].end(), [&](std::uint32_t user) {
             return user != kRoot && is_read_whole(i, user);
           });
  }

  bool can_recompute(std::uint32_t i) const {
    if (node(i).op != Op::Map && node(i).op != Op::Fill) return false;
    return std::all_of(node(i).operands.begin(), node(i).operands.end(), [&](Value operand) {
      return (cell_[operand].type.rank() == 0 && !cut_) || is_free(cell_, operand) || stored_[operand.index];
    });
  }

  const Cell& cell_;
  std::vector<std::vector<std::uint32_t>> users_;
  std::vector<Phase> phases_;
  std::vector<int> depths_;
  bool cut_;
  std::vector<bool> stored_;
};

}  // namespace

std::vector<bool> stored_values(const Cell& cell) {
  return stored_values(cell, phases_of_hoisted(cell), depths(cell), false);
}

std::vector<bool> stored_values(const Cell& cell, std::vector<Phase> phases, std::vector<int> depths, bool cut) {
  return StoredValues(cell, std::move(phases), std::move(depths), cut).run();
}

int complete_depth(const Cell& cell, const std::vector<int>& depths, Value value) {
  const Node& node = cell[value];
  // The parts of a concat are already counted as complete, and a slice of a complete vector is only an address.
  const bool in_place = is_free(cell, value) || node.op == Op::Concat || node.op == Op::Hoist ||
                        (node.op == Op::Slice && !is_gate(cell, value));
  return depths[value.index] + (in_place ? 0 : 1);
}

int depth_of(const Cell& cell, const std::vector<Phase>& phases, const std::vector<int>& depths, std::uint32_t i) {
  const Node& node = cell.nodes[i];
  int result = 0;
  if (node.op == Op::Hoist) return result;
  const bool gate = is_gate(cell, Value{i});
  for (std::size_t j = 0; j < node.operands.size(); ++j) {
    const Value operand = node.operands[j];
    if (phases[operand.index] < phases[i] || cell[operand].type.rank() == 2) continue;
    const bool complete =
        (node.op == Op::Slice && !gate) || node.op == Op::Matvec || (node.op == Op::Project && j == 0);
    // A reduction runs in the stage that computes its operand, and its result can be read one stage later, as a
    // complete vector can. A concat is one stage later too: its parts have to be copied even if they are free.
    int depth = depths[operand.index];
    if (node.op == Op::Reduce || node.op == Op::Concat)
      depth += 1;
    else if (complete)
      depth = complete_depth(cell, depths, operand);
    result = std::max(result, depth);
  }
  return result;
}

std::vector<int> depths(const Cell& cell) {
  std::vector<int> result(cell.nodes.size());
  const std::vector<Phase> phase = phases(cell);
  for (std::uint32_t i = 0; i < cell.nodes.size(); ++i) result[i] = depth_of(cell, phase, result, i);
  return result;
}

}  // namespace rnnc::compiler
