// A plan becomes text for people.
#include <algorithm>
#include <iomanip>
#include <sstream>

#include "compiler/passes/ranges.hpp"
#include "compiler/schedule/plan.hpp"
#include "compiler/schedule/stage_flow.hpp"

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

// Each line of a stage begins with the vertical line of its phase.
constexpr const char* kRail = "|   ";

void print_tiles(std::ostream& out, std::size_t stage, const Plan& plan) {
  const StagePlan& tiles = plan.stages[stage];
  out << kRail << "tiles  one row: " << tiles.single_blocks << " blocks";
  if (tiles.batch_rows > 0)
    out << "; more: " << tiles.batch_rows << " rows x " << tiles.batch_blocks << " blocks, groups of "
        << tiles.group_rows << " rows, " << tiles.panel_columns << " columns"
        << (tiles.fetch_ahead ? ", next block fetched ahead" : "");
  if (tiles.turns) out << "; one row turns at odd steps";
  out << "\n" << kRail << "plan " << print(choice_of(stage, tiles)) << ": predicted " << both(plan.times[stage]);
  if (const auto& other = plan.runners_up[stage])
    out << "; before " << print(choice_of(stage, other->plan)) << ": " << both(other->times);
  out << "\n";
}

std::string source_of(const Read& read) {
  switch (read.from) {
    case Read::From::Input: return read.name;
    case Read::From::State: return "state " + read.name;
    case Read::From::Param: return "param " + read.name;
    case Read::From::Stage: return "stage " + std::to_string(read.stage) + (read.name.empty() ? "" : ", " + read.name);
  }
  return "";
}

void print_products(std::ostream& out, const Stage& stage, const Plan& plan) {
  for (const ir::Value product : stage.products) {
    const Panel& panel = plan.panel(product);
    out << kRail << "product  " << panel.gates << " x [" << panel.units << ", " << panel.columns << "], panel at "
        << panel.offset;
    if (panel.gates < panel.gates_in_memory)
      out << ", gates " << panel.first_gate << " to " << panel.first_gate + panel.gates - 1 << " of "
          << panel.gates_in_memory;
    if (panel.columns < panel.columns_in_memory)
      out << ", columns " << panel.first_column << " to " << panel.first_column + panel.columns - 1 << " of "
          << panel.columns_in_memory;
    const int sharing = std::min(panel.tail_gates, panel.gates);
    if (panel.sparse) out << ", zeros left out";
    if (sharing > 1) out << ", last block " << sharing << " gates a vector";
    out << "\n";
  }
}

void print_reads(std::ostream& out, const StageFlow& flow) {
  for (const Read& read : flow.reads)
    if (read.in_product) out << kRail << "<-- " << source_of(read) << ", " << read.size << ", in a product\n";
  for (const Read& read : flow.reads)
    if (!read.in_product) out << kRail << "<-- " << source_of(read) << ", " << read.size << "\n";
}

// Returns the stages that read a value which stage `stage` stores.
std::vector<std::size_t> readers_of(const std::vector<StageFlow>& flows, std::size_t stage) {
  std::vector<std::size_t> readers;
  for (std::size_t i = 0; i < flows.size(); ++i)
    for (const Read& read : flows[i].reads)
      if (read.from == Read::From::Stage && read.stage == stage && (readers.empty() || readers.back() != i))
        readers.push_back(i);
  return readers;
}

// Says what the scale of stored integers is.
std::string integers_of(const ir::Cell& cell, const Store& store) {
  if (store.home.digits == 0) return "";
  const ir::Node& scale = cell[cell[store.value].operands[1]];
  const std::string bits = ", as integers of " + std::to_string(runtime::kBitsOfDigit * store.home.digits) + " bits, ";
  if (scale.op != ir::Op::Constant) return bits + "with a scale of each row";
  std::ostringstream bound;
  bound << std::setprecision(4) << static_cast<double>(runtime::most_of_digits(store.home.digits)) / scale.constant;
  const ir::Statement* measured = measured_range(cell, cell[store.value].operands[0]);
  return bits + "for the range -" + bound.str() + " to " + bound.str() + " that " +
         (measured ? "was measured of " + measured->name : "is proved");
}

void print_results(std::ostream& out, const Schedule& schedule, const std::vector<StageFlow>& flows, std::size_t s) {
  const Stage& stage = schedule.stages[s];
  for (const Store& store : stage.stores)
    out << kRail << "store  " << name(store.home.space) << " + " << store.home.offset << ", " << store.home.size
        << (store.exact ? ", exact" : "") << integers_of(schedule.cell, store) << "\n";
  for (const ReductionStep& reduction : stage.reductions)
    out << kRail << facts(schedule.cell[reduction.node].reduction).name << "  " << name(reduction.result.space) << " + "
        << reduction.result.offset << "\n";
  for (const std::size_t reader : readers_of(flows, s)) out << kRail << "--> stage " << reader << "\n";
  for (const std::string& state : flows[s].states) out << kRail << "--> state " << state << ", for the next step\n";
  if (flows[s].output) out << kRail << "--> y\n";
}

std::string when(Phase phase, const Plan& plan) {
  switch (phase) {
    case Phase::Once: return "once: when weights are packed";
    case Phase::Sequence:
      return "sequence: ahead of the steps, for chunks of up to " + std::to_string(plan.chunk_rows) + " rows";
    case Phase::Step: return "step: one after the other, for each step of a chunk";
  }
  return "";
}

void print_phase(std::ostream& out, Phase phase, const Plan& plan, const Schedule& schedule,
                 const std::vector<StageFlow>& flows) {
  bool any = false;
  for (std::size_t s = 0; s < schedule.stages.size(); ++s) {
    const Stage& stage = schedule.stages[s];
    if (stage.phase != phase) continue;
    if (!any) out << "\n" << when(phase, plan) << "\n";
    any = true;
    out << "|\n+-- stage " << s << ": " << name(phase) << ", depth " << stage.depth << ", " << stage.units
        << " units\n";
    print_reads(out, flows[s]);
    print_products(out, stage, plan);
    print_tiles(out, s, plan);
    print_results(out, schedule, flows, s);
  }
}

}  // namespace

std::string print(const Plan& plan, const Schedule& schedule, const Target& target) {
  std::ostringstream out;
  out << "target " << name_of(target) << ": " << plan.lanes << " lanes, " << target.registers << " registers"
      << (target.fma ? "" : ", no fma");
  if (plan.threads > 1) out << ", " << plan.threads << " threads";
  out << "\nmachine: " << plan.machine.name << "\nplan ";
  for (std::size_t s = 0; s < plan.stages.size(); ++s)
    out << (s == 0 ? "" : ",") << print(choice_of(s, plan.stages[s]));
  out << "\n";
  const std::vector<StageFlow> flows = flow_of(schedule);
  for (const Phase phase : {Phase::Once, Phase::Sequence, Phase::Step}) print_phase(out, phase, plan, schedule, flows);
  out << "\n";
  for (const StateHome& state : schedule.states)
    out << "state " << state.name << ": " << (state.doubled ? "double-buffered" : "in place") << " + " << state.offset
        << ", " << state.size << "\n";
  out << "rows: sequence " << schedule.row_size(Space::Sequence) << ", step " << schedule.row_size(Space::Step)
      << "; chunk of " << plan.chunk_rows << " rows\n";
  out << "weights: " << runtime::bytes_of(runtime::kRowFormat, plan.weights_size) << " bytes";
  if (!plan.panels.empty() && plan.weights != runtime::kRowFormat)
    out << ", those of products as " << runtime::name(plan.weights);
  out << "\n";
  return out.str();
}

}  // namespace rnnc::compiler
