#include "compiler/schedule/state_reads.hpp"

#include <set>

#include "compiler/schedule/stages.hpp"

namespace rnnc::compiler {
namespace {

using ir::Node;
using ir::Op;
using ir::Value;

class StateReader {
 public:
  explicit StateReader(const Schedule& schedule) : schedule_(schedule), cell_(schedule.cell) {
    reads_.in_lanes.resize(cell_.nodes.size());
    reads_.across.resize(cell_.nodes.size());
  }

  StateReads run() {
    for (std::size_t s = 0; s < schedule_.stages.size(); ++s) read(schedule_.stages[s], s + 1);
    return std::move(reads_);
  }

 private:
  // Tells how a stage reads states. The walk goes from the values that the stage computes to the values that it loads.
  void read(const Stage& stage, std::size_t number) {
    std::set<Value> seen;
    std::vector<Value> pending;
    const auto visit = [&](Value value) {
      if (seen.insert(value).second) pending.push_back(value);
    };
    for (const Store& store : stage.stores) visit(store.value);
    for (const ReductionStep& reduction : stage.reductions) visit(cell_[reduction.node].operands[0]);
    for (Value product : stage.products) {
      const Node& node = cell_[product];
      reads_.across[root(node.operands[0]).index] = number;
      for (std::size_t j = 2; j < node.operands.size(); j += 2) visit(node.operands[j]);
    }
    while (!pending.empty()) {
      const Value value = pending.back();
      pending.pop_back();
      const Node& node = cell_[value];
      // A scalar is read by all lanes, and if the stage has several blocks of units, the later blocks read it after the
      // first has written it.
      if (node.op == Op::State) (node.type.rank() == 0 ? reads_.across : reads_.in_lanes)[value.index] = number;
      if (node.op == Op::Slice) reads_.across[root(value).index] = number;
      const bool is_map = node.op == Op::Map || node.op == Op::Lookup || node.op == Op::Fill || node.op == Op::Quantize;
      if (!is_map || (schedule_.homes[value.index] && schedule_.depths[value.index] < stage.depth)) continue;
      for (Value operand : node.operands) visit(operand);
    }
  }

  Value root(Value value) const {
    while (cell_[value].op == Op::Slice) value = cell_[value].operands[0];
    return value;
  }

  const Schedule& schedule_;
  const ir::Cell& cell_;
  StateReads reads_;
};

}  // namespace

StateReads reads_of_states(const Schedule& schedule) { return StateReader(schedule).run(); }

}  // namespace rnnc::compiler
