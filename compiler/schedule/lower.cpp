#include "compiler/schedule/lower.hpp"

#include <algorithm>

#include "compiler/schedule/describe.hpp"
#include "compiler/schedule/plan_stage.hpp"

namespace rnnc::compiler {
namespace {

using ir::Cell;
using ir::Node;
using ir::Op;
using ir::Value;

runtime::PanelPacking packing_of(const Cell& cell, const Panel& panel) {
  runtime::PanelPacking packing{panel.offset,   panel.units,      panel.columns,
                                panel.format,   panel.gates,      panel.lanes,
                                panel.together, panel.tail_gates, {}};
  packing.shifted = panel.shifted;
  packing.sparse = panel.sparse;
  const Node& product = cell[panel.product];
  for (int gate = 0; gate < panel.gates; ++gate) {
    auto pieces = pieces_of(cell, product.operands[static_cast<std::size_t>(1 + 2 * gate)], 0, gate);
    std::ranges::move(pieces, std::back_inserter(packing.pieces));
  }
  return packing;
}

}  // namespace

Result<Lowered> lower(const Cell& cell, const Target& target, const PlanOptions& options, const PassObserver& observe) {
  Cell passed = run_passes(cell, {}, observe, kPasses, options.weights);
  if (const Result<void> fits = check_integer_sums(passed); !fits) return fits.error();
  Schedule schedule = make_schedule(std::move(passed), options.most_work, !target.is_small);
  Result<Plan> plan = make_plan(schedule, target, options);
  if (!plan) return plan.error();
  return Lowered{std::move(schedule), std::move(*plan)};
}

runtime::Description describe(const Cell& cell, const Lowered& lowered, const Target& target) {
  const auto& [schedule, plan] = lowered;
  runtime::Description description;
  description.cell = cell.name;
  description.cpu = name_of(target);
  describe_declarations(cell, description);
  for (const StateHome& state : schedule.states)
    description.states.push_back(
        {{state.name, state.rank == 0 ? Shape{} : Shape{state.size}}, state.doubled, state.offset, state.size});
  describe_bounds(schedule.cell, description);
  description.input_size = schedule.row_size(Space::Input);
  description.output_size = schedule.row_size(Space::Output);
  description.doubled_row = schedule.row_size(Space::Current);
  description.in_place_row = schedule.row_size(Space::InPlace);
  description.sequence_row = schedule.row_size(Space::Sequence);
  description.step_row = schedule.row_size(Space::Step);
  description.chunk_rows = plan.chunk_rows;
  description.weights_size = plan.weights_size;
  for (std::uint32_t i = 0; i < schedule.cell.nodes.size(); ++i) {
    const Node& node = schedule.cell.nodes[i];
    if (node.op == Op::Param && schedule.homes[i])
      description.vectors.push_back({node.name, schedule.homes[i]->offset, schedule.homes[i]->size});
  }
  for (std::size_t i = 0; i < schedule.stages.size(); ++i) {
    const Stage& stage = schedule.stages[i];
    if (stage.phase == Phase::Step) {
      ++description.step_stages;
      if (plan.threads > 1 && is_shared(stage))
        description.block_groups = std::max(description.block_groups, plan.block_groups(i, stage));
    }
    for (Value product : stage.products) {
      const Panel& panel = plan.panel(product);
      if (!panel.is_shared) description.panels.push_back(packing_of(schedule.cell, panel));
      const auto gates = schedule.gates.find(product);  // those that something reads
      const std::int64_t read = gates == schedule.gates.end() ? panel.gates : std::ssize(gates->second);
      const std::int64_t elements = panel.units * panel.columns * read;
      add_product(stage.phase, elements, panel.format, description);
      if (stage.phase == Phase::Step && is_shared(stage))
        description.shared_bytes += static_cast<double>(runtime::bytes_of(panel.format, elements));
    }
  }
  estimate_times(plan.machine, multiply_adds_as_one(target, plan.weights), description);
  return description;
}

Result<CellKind> make_kind(const Cell& cell, const Target& target, const PlanOptions& options,
                           const PassObserver& observe) {
  Result<Lowered> lowered = lower(cell, target, options, observe);
  if (!lowered) return lowered.error();
  if (const Result<void> checked = check_weights_size(cell, lowered->plan.weights_size); !checked)
    return checked.error();
  runtime::Description description = describe(cell, *lowered, target);
  return CellKind{std::move(*lowered), std::move(description)};
}

}  // namespace rnnc::compiler
