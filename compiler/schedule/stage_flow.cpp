#include "compiler/schedule/stage_flow.hpp"

#include <algorithm>
#include <set>

#include "ir/check.hpp"

namespace rnnc::compiler {

using ir::Node;
using ir::Op;
using ir::Value;

bool is_loaded(const Schedule& schedule, const Stage& stage, Value value) {
  const Node& node = schedule.cell[value];
  const bool computed_before = schedule.depths[value.index] < stage.depth;
  switch (node.op) {
    case Op::Input:
    case Op::State:
    case Op::Param:
    case Op::Concat:
    case Op::Reduce:
    case Op::Hoist: return true;
    case Op::Constant: return false;
    case Op::Slice: return !is_gate(schedule.cell, value) || computed_before;
    case Op::Project:
    case Op::Lookup:
    case Op::Fill:
    case Op::Quantize:
    case Op::Map: return schedule.homes[value.index] && computed_before;
    case Op::Matvec:
    case Op::Rows:
    case Op::Scan:
    case Op::FinalState:
    case Op::OverTime: break;
  }
  ir::internal_error(&schedule.cell, "an op that has no code reached code generation");
}

namespace {

bool overlap(const Home& a, const Home& b) {
  return a.space == b.space && a.offset < b.offset + b.floats() && b.offset < a.offset + a.floats();
}

// Follows the values that a stage computes back to the values that the stage loads from memory.
class Tracer {
 public:
  Tracer(const Schedule& schedule, const Stage& stage) : schedule_(schedule), stage_(stage) {}

  std::vector<Read> run() {
    for (const Value product : stage_.products) {
      const Node& node = schedule_.cell[product];
      add(node.operands[0], true);
      for (std::size_t j = 2; j < node.operands.size(); j += 2) trace(node.operands[j]);
    }
    // A stage stores parts of a concat and hoisted values that it computes. The concat or Hoist itself may be loaded by
    // other stages.
    for (const Store& store : stage_.stores) trace(store.value);
    for (const ReductionStep& reduction : stage_.reductions) trace(schedule_.cell[reduction.node].operands[0]);
    return std::move(reads_);
  }

 private:
  void trace(Value root) {
    std::vector<Value> pending{root};
    while (!pending.empty()) {
      const Value value = pending.back();
      pending.pop_back();
      if (!seen_.insert(value).second) continue;
      if (is_loaded(schedule_, stage_, value)) {
        add(value, false);
        continue;
      }
      const Node& node = schedule_.cell[value];
      if (node.op == Op::Project || is_gate(schedule_.cell, value)) continue;  // this stage's own product
      for (std::size_t j = node.operands.size(); j-- > 0;)
        if (schedule_.cell[node.operands[j]].type.rank() < 2) pending.push_back(node.operands[j]);
    }
  }

  void add(Value value, bool in_product) {
    const std::optional<Home> home = schedule_.find(value);
    if (!home) return;  // a constant
    const Read read = describe(value, *home, in_product);
    const bool is_own = read.from == Read::From::Stage && &schedule_.stages[read.stage] == &stage_;
    const bool known = std::ranges::any_of(reads_, [&](const Read& other) {
      return other.from == read.from && other.name == read.name && other.stage == read.stage &&
             other.in_product == read.in_product && (!read.name.empty() || other.size == read.size);
    });
    if (!is_own && !known) reads_.push_back(read);
  }

  Read describe(Value value, const Home& home, bool in_product) const {
    const Node* node = &schedule_.cell[value];
    std::string name = name_of(value);
    while (node->op == Op::Slice && !is_gate(schedule_.cell, value)) {
      value = node->operands[0];
      node = &schedule_.cell[value];
    }
    if (node->op == Op::Input) return {Read::From::Input, node->name, 0, home.size, in_product};
    if (node->op == Op::State) return {Read::From::State, node->name, 0, home.size, in_product};
    if (node->op == Op::Param) return {Read::From::Param, node->name, 0, home.size, in_product};
    return {Read::From::Stage, std::move(name), writer_of(home), home.size, in_product};
  }

  std::string name_of(Value value) const {
    for (const ir::Statement& statement : schedule_.cell.statements)
      if (statement.value == value && names_value(statement))
        return statement.name + (statement.kind == ir::Statement::Kind::Next ? "'" : "");
    return "";
  }

  std::size_t writer_of(const Home& home) const {
    for (std::size_t i = 0; i < schedule_.stages.size(); ++i) {
      const Stage& stage = schedule_.stages[i];
      const auto stores = [&](const Store& store) { return overlap(store.home, home); };
      const auto reduces = [&](const ReductionStep& reduction) { return overlap(reduction.result, home); };
      if (std::ranges::any_of(stage.stores, stores) || std::ranges::any_of(stage.reductions, reduces)) return i;
    }
    ir::internal_error(&schedule_.cell, "no stage writes a value that another reads");
  }

  const Schedule& schedule_;
  const Stage& stage_;
  std::vector<Read> reads_;
  std::set<Value> seen_;
};

bool gives_state(const Store& store, const StateHome& state) {
  const Home next{state.doubled ? Space::Next : Space::InPlace, state.offset, state.size};
  return overlap(store.home, next);
}

}  // namespace

std::vector<StageFlow> flow_of(const Schedule& schedule) {
  std::vector<StageFlow> flows;
  for (const Stage& stage : schedule.stages) {
    StageFlow flow{Tracer(schedule, stage).run(), {}, false};
    for (const StateHome& state : schedule.states)
      if (std::ranges::any_of(stage.stores, [&](const Store& store) { return gives_state(store, state); }))
        flow.states.push_back(state.name);
    flow.output =
        std::ranges::any_of(stage.stores, [](const Store& store) { return store.home.space == Space::Output; });
    flows.push_back(std::move(flow));
  }
  return flows;
}

}  // namespace rnnc::compiler
