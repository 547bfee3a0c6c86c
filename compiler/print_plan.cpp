// A plan as people read it.
#include <iomanip>
#include <sstream>

#include "compiler/plan.hpp"

namespace rnnc::compiler {
namespace {

std::string microseconds(double seconds) {
  std::ostringstream out;
  out << std::setprecision(3) << seconds * 1e6 << " us";
  return out.str();
}

std::string both(const StageTimes& times) {
  return microseconds(times.one_row) + " for one row, " + microseconds(times.many_rows) + " for " +
         std::to_string(kPlannedRows);
}

void print_tiles(std::ostream& out, std::size_t stage, const Plan& plan) {
  const StagePlan& tiles = plan.stages[stage];
  out << "  one row: " << tiles.single_blocks << " blocks";
  if (tiles.batch_rows > 0)
    out << "; more: " << tiles.batch_rows << " rows x " << tiles.batch_blocks << " blocks, groups of "
        << tiles.group_rows << " rows, " << tiles.panel_columns << " columns"
        << (tiles.fetch_ahead ? ", next block fetched ahead" : "");
  out << "\n  plan " << print(choice_of(stage, tiles)) << ": predicted " << both(plan.times[stage]);
  if (const auto& other = plan.runners_up[stage])
    out << "; before " << print(choice_of(stage, other->plan)) << ": " << both(other->times);
  out << "\n";
}

}  // namespace

std::string print(const Plan& plan, const Schedule& schedule, const Target& target) {
  std::ostringstream out;
  out << "target " << name_of(target) << ": " << plan.lanes << " lanes, " << target.registers << " registers"
      << (target.fma ? "" : ", no fma");
  if (plan.threads > 1) out << ", " << plan.threads << " threads";
  out << "\n";
  for (std::size_t s = 0; s < schedule.stages.size(); ++s) {
    const Stage& stage = schedule.stages[s];
    out << "stage " << s << ": " << name(stage.phase) << ", depth " << stage.depth << ", " << stage.units << " units\n";
    for (ir::Value product : stage.products) {
      const Panel& panel = plan.panel(product);
      out << "  product: " << panel.gates << " x [" << panel.units << ", " << panel.columns << "], panel at "
          << panel.offset;
      if (panel.is_packed()) out << ", last block " << panel.tail_gates << " gates a vector";
      out << "\n";
    }
    print_tiles(out, s, plan);
    for (const Store& store : stage.stores)
      out << "  store: " << name(store.home.space) << " + " << store.home.offset << ", " << store.home.size
          << (store.exact ? ", exact" : "") << "\n";
    for (const ReductionStep& reduction : stage.reductions)
      out << "  " << facts(schedule.cell[reduction.node].reduction).name << ": " << name(reduction.result.space)
          << " + " << reduction.result.offset << "\n";
  }
  for (const StateHome& state : schedule.states)
    out << "state " << state.name << ": " << (state.doubled ? "double-buffered" : "in place") << " + " << state.offset
        << ", " << state.size << "\n";
  out << "rows: sequence " << schedule.row_size(Space::Sequence) << ", step " << schedule.row_size(Space::Step)
      << "; chunk of " << plan.chunk_rows << " rows\n";
  out << "weights: " << plan.weights_size * 4 << " bytes\n";
  return out.str();
}

}  // namespace rnnc::compiler
