#include "compiler/schedule/stage_depths.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>

#include "compiler/passes/copy_forward.hpp"

namespace rnnc::compiler {
namespace {

using ir::Cell;
using ir::Node;
using ir::Op;
using ir::Value;

// A product takes about as long to compile as so many instructions: its loops, its tiles and their calls.
constexpr std::int64_t kWorkOfProduct = 64, kWorkOfLookup = 8, kWorkOfQuantize = 8;
// A copy of a part of a concat may be a branch, across which the other parts of its stage are live. While a copy
// counted as 4, a concat of 400 parts of one element took more than 20 s.
constexpr std::int64_t kWorkOfCopy = 32;
// A part of a concat that is in memory already is an entry of a table (compiler/llvm/copies.hpp).
constexpr std::int64_t kWorkOfEntry = 1;

class StageCutter {
 public:
  StageCutter(const Cell& cell, const std::vector<Phase>& phases, std::int64_t most_work)
      : cell_(cell), live_(live_nodes(cell)), phases_(phases), most_work_(most_work) {}

  StageDepths run() {
    result_.nodes.resize(cell_.nodes.size());
    result_.copies.resize(cell_.nodes.size());
    result_.kept.resize(cell_.nodes.size());
    for (std::uint32_t i = 0; i < cell_.nodes.size(); ++i) {
      result_.nodes[i] = depth_of(cell_, phases_, result_.nodes, i);
      if (live_[i] && cell_.nodes[i].type.rank() < 2) place(i);
    }
    for (const ir::Statement& statement : cell_.statements) {
      result_.statements.push_back(ir::needs_value(statement) ? place_copy(statement.value, Phase::Step) : 0);
    }
    return std::move(result_);
  }

  std::int64_t largest() const { return largest_; }

 private:
  // The stages of one phase and of as many units differ in depth only.
  using Key = std::tuple<Phase, std::int64_t, int>;

  struct Place {
    std::int64_t work = 0;
    int next = 0;  // a depth with no full stage between this one and it
  };

  bool cuts() const { return most_work_ < std::numeric_limits<std::int64_t>::max(); }

  void place(std::uint32_t i) {
    const Node& node = cell_.nodes[i];
    int& depth = result_.nodes[i];
    switch (node.op) {
      case Op::Map:
      case Op::Fill:
      case Op::Quantize:
      case Op::Lookup:
      case Op::Project:
        if (cuts()) depth = std::max(depth, after_scalars(i));
        depth = take(phases_[i], size_of_stage(node), depth, work_of(node));
        return;
      case Op::Concat:
      case Op::Reduce:
      case Op::Hoist:
        for (const Value operand : node.operands) {
          const int at = place_copy(operand, phases_[i], node.op == Op::Concat);
          result_.copies[i].push_back(at);
          if (cuts() && node.op != Op::Hoist) depth = std::max(depth, at + 1);
        }
        return;
      case Op::Input:
      case Op::State:
      case Op::Param:
      case Op::Constant:
      case Op::Slice:
      case Op::Matvec:
      case Op::Rows:
      case Op::Scan:
      case Op::FinalState:
      case Op::OverTime: return;
    }
  }

  // Gates of a stacked product share the units of a stage.
  std::int64_t size_of_stage(const Node& node) const {
    return node.op == Op::Project ? cell_[node.operands[1]].type.dims[0].value() : size_of(node);
  }

  // A scalar that the stage of a vector computed again would be computed in each of many stages.
  int after_scalars(std::uint32_t i) const {
    int depth = 0;
    if (cell_.nodes[i].type.rank() == 0) return depth;
    for (const Value operand : cell_.nodes[i].operands) {
      const Node& node = cell_[operand];
      if (node.op == Op::Map && node.type.rank() == 0 && phases_[operand.index] == phases_[i])
        depth = std::max(depth, result_.nodes[operand.index] + 1);
    }
    return depth;
  }

  int place_copy(Value value, Phase phase, bool is_part = false) {
    const bool computed_here = phases_[value.index] == phase && cell_[value].op != Op::Hoist;
    const int own = computed_here ? result_.nodes[value.index] : 0;
    const Op op = cell_[value].op;
    const bool has_code =
        op == Op::Map || op == Op::Fill || op == Op::Lookup || op == Op::Project || is_gate(cell_, value);
    const bool is_entry = is_part && !has_code && op != Op::Constant;
    const int at = take(phase, size_of(cell_[value]), own, is_entry ? kWorkOfEntry : kWorkOfCopy);
    if (computed_here && at > own && has_code) result_.kept[value.index] = true;
    return at;
  }

  // Finds the first stage from `depth` on that is not full, and adds work to it.
  int take(Phase phase, std::int64_t units, int depth, std::int64_t work) {
    std::vector<Place*> full;
    while (true) {
      Place& place = places_[{phase, units, depth}];
      if (place.work == 0 || place.work + work <= most_work_) {
        place.work += work;
        largest_ = std::max(largest_, place.work);
        for (Place* each : full) each->next = depth;
        return depth;
      }
      full.push_back(&place);
      depth = std::max(place.next, depth + 1);
    }
  }

  const Cell& cell_;
  const std::vector<bool> live_;
  const std::vector<Phase>& phases_;
  const std::int64_t most_work_;
  std::int64_t largest_ = 0;
  std::map<Key, Place> places_;
  StageDepths result_;
};

}  // namespace

std::int64_t work_of(const Node& node) {
  if (node.op == Op::Map) return operations_of(node.function);
  if (node.op == Op::Fill) return 1;
  if (node.op == Op::Quantize) return kWorkOfQuantize;
  if (node.op == Op::Lookup) return kWorkOfLookup;
  if (node.op == Op::Project) return kWorkOfProduct;
  return 0;
}

StageDepths find_stage_depths(const Cell& cell, const std::vector<Phase>& phases, std::int64_t most_work) {
  StageCutter whole(cell, phases, std::numeric_limits<std::int64_t>::max());
  StageDepths depths = whole.run();
  if (whole.largest() <= most_work) return depths;
  depths = StageCutter(cell, phases, most_work).run();
  depths.is_cut = true;
  return depths;
}

namespace {

bool is_integer_product(const Cell& cell, Value value) {
  const Node& node = cell[is_gate(cell, value) ? cell[value].operands[0] : value];
  return node.op == Op::Project && ir::is_of_integers(cell, node);
}

// Tells which values are made of products and of numbers that every stage has.
std::vector<bool> made_of_products(const Cell& cell) {
  std::vector<bool> made(cell.nodes.size());
  for (std::uint32_t i = 0; i < cell.nodes.size(); ++i) {
    const Node& node = cell.nodes[i];
    const auto is_at_hand = [&](Value operand) {
      return cell[operand].type.rank() == 0 || is_free(cell, operand) || cell[operand].op == Op::Hoist;
    };
    made[i] =
        is_integer_product(cell, Value{i}) ||
        (node.op == Op::Map && node.type.rank() == 1 &&
         std::ranges::any_of(node.operands, [&](Value operand) { return made[operand.index]; }) &&
         std::ranges::all_of(node.operands, [&](Value operand) { return made[operand.index] || is_at_hand(operand); }));
  }
  return made;
}

}  // namespace

// Readers come behind what they read, and are moved before it.
void delay_products(const Cell& cell, const std::vector<Phase>& phases, StageDepths& depths) {
  if (depths.is_cut) return;
  const auto all_users = users(cell);
  const std::vector<bool> made = made_of_products(cell);
  for (std::size_t i = cell.nodes.size(); i-- > 0;) {
    const Node& node = cell.nodes[i];
    const bool is_product = node.op == Op::Project;
    if (phases[i] != Phase::Step || !made[i] || node.op == Op::Slice) continue;
    std::vector<std::uint32_t> moved{static_cast<std::uint32_t>(i)}, readers;
    for (const std::uint32_t user : all_users[i]) {
      const bool is_of_product = is_product && user != kRoot && is_gate(cell, Value{user});
      if (is_of_product) moved.push_back(user);
      const auto& all = is_of_product ? all_users[user] : std::vector{user};
      readers.insert(readers.end(), all.begin(), all.end());
    }
    int first = readers.empty() ? 0 : std::numeric_limits<int>::max();
    for (const std::uint32_t reader : readers)
      first = std::min(first, reader != kRoot && cell.nodes[reader].op == Op::Map ? depths.nodes[reader] : 0);
    for (const std::uint32_t each : moved) depths.nodes[each] = std::max(depths.nodes[each], first);
  }
}

}  // namespace rnnc::compiler
