#include "compiler/lower.hpp"

#include <algorithm>

#include "compiler/codegen.hpp"
#include "compiler/dump.hpp"
#include "ir/check.hpp"

namespace rnnc::compiler {
namespace {

using ir::Cell;
using ir::Node;
using ir::Op;
using ir::Value;

Shape shape_of(const ir::Type& type) {
  Shape shape;
  for (const ir::Dim& dim : type.dims) shape.push_back(dim.value());
  return shape;
}

// Simplification leaves a matrix as a parameter, a slice of one, or several of these one below the other.
runtime::MatrixPiece piece_of(const Cell& cell, Value matrix) {
  const Node* node = &cell[matrix];
  runtime::MatrixPiece piece;
  piece.rows = node->type.dims[0].value();
  if (node->op == Op::Slice) {
    piece.row = node->ranges[0].begin.value();
    if (node->ranges.size() > 1) piece.column = node->ranges[1].begin.value();
    node = &cell[node->operands[0]];
  }
  RNNC_ASSERT(node->op == Op::Param, &cell);
  piece.param = node->name;
  return piece;
}

runtime::PanelPacking packing_of(const Cell& cell, const Panel& panel, int lanes) {
  runtime::PanelPacking packing{panel.offset, panel.units,    panel.columns,    panel.gates,
                                lanes,        panel.together, panel.tail_gates, {}};
  const Node& product = cell[panel.product];
  for (int gate = 0; gate < panel.gates; ++gate) {
    const Value matrix = product.operands[static_cast<std::size_t>(1 + 2 * gate)];
    const bool joined = cell[matrix].op == Op::Concat;
    std::int64_t first_row = 0;
    for (Value part : joined ? cell[matrix].operands : std::vector<Value>{matrix}) {
      runtime::MatrixPiece piece = piece_of(cell, part);
      piece.gate = gate;
      piece.first_row = first_row;
      first_row += piece.rows;
      packing.pieces.push_back(piece);
    }
  }
  return packing;
}

void describe_declarations(const Cell& cell, runtime::Description& description) {
  for (const Node& node : cell.nodes) {
    const runtime::TensorInfo info{node.name, shape_of(node.type)};
    if (node.op == Op::Input) description.inputs.push_back(info);
    if (node.op == Op::Param) description.params.push_back(info);
  }
  description.output = {"y", shape_of(cell[cell.output()].type)};
}

}  // namespace

Result<Lowered> lower(const Cell& cell, const Target& target, const PlanOptions& options, const PassObserver& observe) {
  Lowered lowered;
  lowered.schedule = make_schedule(run_passes(cell, {}, observe));
  Result<Plan> plan = make_plan(lowered.schedule, target, options);
  if (!plan) return plan.error();
  lowered.plan = std::move(*plan);
  return lowered;
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
      description.panels.push_back(packing_of(schedule.cell, panel, plan.lanes));
      if (stage.phase == Phase::Once) continue;
      const auto elements = static_cast<double>(panel.units * panel.columns * panel.gates);
      description.flops_per_step += 2 * elements;
      if (stage.phase != Phase::Step) continue;
      description.recurrent_bytes += 4 * elements;
      if (is_shared(stage)) description.shared_bytes += 4 * elements;
    }
  }
  const Machine machine;
  description.row_seconds = description.flops_per_step / machine.flops_per_second;
  description.weights_seconds = description.recurrent_bytes / machine.bytes_per_second(description.recurrent_bytes);
  return description;
}

Result<void> check_weights_size(const Cell& cell, const Plan& plan) {
  if (plan.weights_size <= kMaxWeightsBytes / 4) return {};
  return Error{ErrorCode::Limit,
               {cell.file, cell.location.line, cell.location.column},
               "the weights of cell " + cell.name + " take " + std::to_string(plan.weights_size * 4) +
                   " bytes, more than the limit of " + std::to_string(kMaxWeightsBytes),
               {}};
}

Result<runtime::Artifact> make_artifact(const Cell& cell, const Target& target, const PlanOptions& options) {
  Dumper dumper(cell);
  const Result<Lowered> made = lower(
      cell, target, options, [&](auto name, const Cell& after, double seconds) { dumper.pass(name, after, seconds); });
  if (!made) return made.error();
  const Lowered& lowered = *made;
  dumper.plan(lowered, target);
  if (const Result<void> checked = check_weights_size(cell, lowered.plan); !checked) return checked.error();
  runtime::Artifact artifact;
  artifact.description = describe(cell, lowered, target);
  artifact.object = dumper.timed("codegen", [&] { return emit_object(lowered.schedule, lowered.plan, target); });
  return artifact;
}

}  // namespace rnnc::compiler
