#include "compiler/llvm/product_groups.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "compiler/passes/analysis.hpp"
#include "compiler/schedule/stage_flow.hpp"

namespace rnnc::compiler {
namespace {

using ir::Node;
using ir::Op;
using ir::Value;

// Returns the products of the stage that a product starts from, straight or through functions of them.
std::set<Value> products_before(const StageContext& context, const Stage& stage, Value product) {
  const ir::Cell& cell = context.schedule.cell;
  std::set<Value> found, seen;
  std::vector<Value> pending;
  const auto add_starts = [&](const Node& node) {
    for (std::size_t j = 2; j < node.operands.size(); j += 2) pending.push_back(node.operands[j]);
  };
  add_starts(cell[product]);
  while (!pending.empty()) {
    const Value value = pending.back();
    pending.pop_back();
    const Node& node = cell[value];
    if (node.op == Op::Constant || !seen.insert(value).second || is_loaded(context.schedule, stage, value)) continue;
    if (node.op == Op::Project || is_gate(cell, value)) {
      found.insert(node.op == Op::Project ? value : node.operands[0]);
      continue;
    }
    for (const Value operand : node.operands)
      if (cell[operand].type.rank() < 2) pending.push_back(operand);
  }
  return found;
}

}  // namespace

int most_of_group(const StageContext& context, const Panel& panel, int blocks) {
  if (panel.sparse || runtime::is_integer(panel.format)) return 1;
  return products_at_once(context.target.registers, panel.gates * blocks);
}

std::vector<std::vector<Value>> product_groups(const StageContext& context, const Stage& stage, int blocks) {
  std::vector<std::vector<Value>> groups;
  std::map<std::array<std::int64_t, 5>, std::vector<Value>> of_panel;
  const auto key_of = [&](Value product) {
    const Panel& panel = context.plan.panel(product);
    return std::array<std::int64_t, 5>{panel.offset, panel.first_gate, panel.gates, panel.first_column, panel.columns};
  };
  for (const Value product : stage.products) of_panel[key_of(product)].push_back(product);
  if (of_panel.size() == stage.products.size()) {
    for (const Value product : stage.products) groups.push_back({product});
    return groups;
  }
  std::map<Value, std::set<Value>> before;
  for (const Value product : stage.products) before[product] = products_before(context, stage, product);
  std::set<Value> done;
  for (const Value first : stage.products) {
    if (done.contains(first)) continue;
    const Panel& panel = context.plan.panel(first);
    const auto most = static_cast<std::size_t>(most_of_group(context, panel, blocks));
    std::vector<Value>& group = groups.emplace_back();
    for (const Value product : of_panel[key_of(first)]) {
      const bool is_ready = std::ranges::all_of(before[product], [&](Value other) { return done.contains(other); });
      if (group.size() < most && !done.contains(product) && (is_ready || product == first)) group.push_back(product);
    }
    done.insert(group.begin(), group.end());
  }
  return groups;
}

}  // namespace rnnc::compiler
