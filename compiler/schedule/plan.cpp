#include "compiler/schedule/plan.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <tuple>

#include "compiler/passes/analysis.hpp"
#include "compiler/schedule/panel_sharing.hpp"
#include "compiler/schedule/plan_stage.hpp"

namespace rnnc::compiler {
namespace {

using ir::Node;
using ir::Value;

// The hoisted values of a chunk stay in L2 next to the weights of the recurrence: 256 KiB is a quarter of an L2 of 1
// MiB. A chunk still has enough rows that reading the weights of the input costs little for each row.
constexpr std::int64_t kChunkBytes = 256 * 1024;
constexpr std::int64_t kMinChunkRows = 128, kMaxChunkRows = 4096;

std::vector<Panel> plan_panels(const Schedule& schedule, const std::vector<StagePlan>& stages, const Target& target,
                               const PlanOptions& options, std::int64_t& end) {
  const int lanes = target.lanes;
  std::vector<Panel> panels;
  for (std::size_t s = 0; s < schedule.stages.size(); ++s) {
    const Stage& stage = schedule.stages[s];
    const bool shares = std::ranges::any_of(stage.products, [&](Value product) {
      return gates_share_vectors(stage.units, lanes, gates_of(schedule, product));
    });
    for (Value product : stage.products) {
      const Node& node = schedule.cell[product];
      Panel panel{product, 0, stage.units, schedule.cell[node.operands[0]].type.dims[0].value(),
                  gates_of(schedule, product)};
      panel.together = stages[s].batch_blocks;
      panel.lanes = lanes;
      panel.format = format_of_product(schedule.cell, product, options.weights);
      panel.shifted = runtime::is_integer(panel.format) && target.byte_products == ByteProducts::Unsigned;
      panel.sparse = options.sparse && runtime::is_integer(panel.format) && stage.phase == Phase::Step;
      if (shares) panel.tail_gates = static_cast<int>(lanes / (panel.units % lanes));
      panels.push_back(panel);
    }
  }
  share_panels(schedule, panels, end);
  return panels;
}

}  // namespace

const Panel& Plan::panel(Value product) const { return panels[numbers.at(product)]; }

std::vector<int> pieces_of_tile(int rows, int vectors, int chains) {
  const bool is_rare = rows == 5 || rows == 7;
  if (!is_rare || 2 * (rows / 2 * vectors) < 3 * chains) return {rows};
  return {(rows + 1) / 2, rows / 2};
}

int products_at_once(int registers, int vectors) {
  constexpr int kOthers = 6;  // the registers that hold weights, elements and constants
  constexpr int kMost = 8;    // more only make the code longer
  return std::clamp((registers - kOthers) / std::max(1, vectors), 1, kMost);
}

PlanChoice choice_of(std::size_t stage, const StagePlan& plan) {
  return {stage, plan.single_blocks, plan.batch_blocks, plan.panel_columns};
}

std::int64_t Plan::block_groups(std::size_t index, const Stage& stage) const {
  return divide_up(divide_up(stage.units, lanes), stages[index].single_blocks);
}

namespace {

Error no_such_plan(const PlanChoice& choice, const std::vector<Candidate>& candidates) {
  std::string known;
  for (const Candidate& candidate : candidates)
    known += (known.empty() ? "" : ", ") + print(choice_of(choice.stage, candidate.plan));
  return {ErrorCode::Usage,
          {},
          "stage " + std::to_string(choice.stage) + " has no plausible plan " + print(choice) + "; it has " + known};
}

// Returns the candidate that the options ask for, else the first, which the model prefers.
Result<std::size_t> choose(std::size_t stage, const std::vector<Candidate>& candidates, const PlanOptions& options) {
  for (const PlanChoice& choice : options.choices) {
    if (choice.stage != stage) continue;
    for (std::size_t i = 0; i < candidates.size(); ++i)
      if (choice_of(stage, candidates[i].plan) == choice) return i;
    return no_such_plan(choice, candidates);
  }
  return std::size_t{0};
}

}  // namespace

Result<Plan> make_plan(const Schedule& schedule, const Target& target, const PlanOptions& options) {
  Plan plan;
  plan.machine = options.machine.value_or(machine_of(target));
  plan.weights = options.weights;
  plan.threads = options.threads;
  plan.lanes = target.lanes;
  for (const PlanChoice& choice : options.choices)
    if (choice.stage >= schedule.stages.size())
      return Error{ErrorCode::Usage,
                   {},
                   "plan " + print(choice) + " is of a stage that is not there; there are " +
                       std::to_string(schedule.stages.size())};
  const std::vector<std::vector<Candidate>> all = plan_candidates(schedule, target, options);
  for (std::size_t i = 0; i < schedule.stages.size(); ++i) {
    const std::vector<Candidate>& candidates = all[i];
    const Result<std::size_t> chosen = choose(i, candidates, options);
    if (!chosen) return chosen.error();
    plan.stages.push_back(candidates[*chosen].plan);
    plan.fetches_ahead = plan.fetches_ahead || plan.stages.back().fetch_ahead;
    plan.times.push_back(candidates[*chosen].times);
    plan.runners_up.emplace_back();
    if (const std::size_t other = *chosen == 0 ? 1 : 0; other < candidates.size())
      plan.runners_up.back() = RunnerUp{candidates[other].plan, candidates[other].times};
  }
  plan.weights_size = schedule.row_size(Space::Weights);
  plan.panels = plan_panels(schedule, plan.stages, target, options, plan.weights_size);
  for (std::size_t i = 0; i < plan.panels.size(); ++i) plan.numbers[plan.panels[i].product] = i;
  const std::int64_t row_bytes =
      runtime::bytes_of(runtime::kRowFormat, std::max<std::int64_t>(1, schedule.row_size(Space::Sequence)));
  plan.chunk_rows = std::clamp(kChunkBytes / row_bytes, kMinChunkRows, kMaxChunkRows);
  return plan;
}

}  // namespace rnnc::compiler
