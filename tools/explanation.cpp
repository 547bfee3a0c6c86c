#include "tools/explanation.hpp"

#include "compiler/inspect/print_network.hpp"
#include "compiler/network/network.hpp"
#include "compiler/schedule/limits.hpp"
#include "compiler/schedule/plan_stage.hpp"
#include "ir/print.hpp"
#include "tools/bench_result.hpp"
#include "tools/plan_cell.hpp"
#include "tools/stage_words.hpp"
#include "tools/timing.hpp"

namespace rnnc::tools {
namespace {

constexpr double kPartOfPreparing = 0.5;  // the part of the time before anything is timed
constexpr double kWhole = 0.4;            // the part of the time for the model as a whole

// Returns "l1.fwd, l2" of the prefixes "l1.fwd., l2.".
std::string names_of(const std::string& prefixes) {
  std::string names;
  for (std::size_t i = 0; i < prefixes.size(); ++i)
    if (prefixes[i] != '.' || (i + 1 < prefixes.size() && prefixes[i + 1] != ',')) names += prefixes[i];
  return names;
}

Result<CellFacts> explain_cell(const compiler::CalledCell& called, const compiler::Target& target,
                               const BenchFlags& flags, Explanation& explanation) {
  const Result<PlannedCell> planned = plan_cell(called.cell, target, flags.model, static_cast<int>(flags.threads));
  if (!planned) return planned.error();
  const compiler::Plan& plan = planned->lowered.plan;
  CellFacts facts;
  facts.name = called.cell.name;
  if (called.callers != called.cell.name) facts.callers = names_of(called.callers);
  for (std::size_t i = 0; i < plan.stages.size(); ++i)
    facts.plan += (i == 0 ? "" : ",") + compiler::print(compiler::choice_of(i, plan.stages[i]));
  facts.chosen_by = !planned->tuned_in.empty() ? "bench --tune, kept in " + planned->tuned_in : "the cost model";
  facts.chunk = plan.chunk_rows;
  facts.stages = stages_in_words(planned->lowered, target, flags.batch);
  for (const StageFacts& stage : facts.stages) facts.predicted_seconds += stage.predicted_seconds;
  explanation.machine =
      plan.machine.name == std::string(compiler::kMeasuredHere) ? "this machine as measured" : plan.machine.name;
  return facts;
}

// Adds the kinds of cells. A call that runs once a sequence counts with the part of a step.
Result<void> add_cell_facts(const compiler::CallList& list, const compiler::Target& target, const BenchFlags& flags,
                            Explanation& explanation) {
  for (const compiler::CalledCell& called : compiler::called_cells(list)) {
    Result<CellFacts> facts = explain_cell(called, target, flags, explanation);
    if (!facts) return facts.error();
    facts->calls = 0;
    const std::string text = ir::print(called.cell);
    double bytes = 0;
    for (const StageFacts& stage : facts->stages) bytes += stage.bytes;
    for (const compiler::Call& call : list.calls) {
      const auto* cell = std::get_if<compiler::CellCall>(&call);
      if (cell == nullptr || ir::print(cell->cell) != text) continue;
      ++facts->calls;
      explanation.weight_bytes += bytes;
      explanation.predicted_seconds +=
          facts->predicted_seconds / (cell->axis.empty() ? static_cast<double>(flags.steps) : 1);
    }
    explanation.cells.push_back(std::move(*facts));
  }
  return {};
}

// Times models one after the other, by the same limits.
class Timer {
 public:
  explicit Timer(const BenchFlags& flags) : flags_(flags) {
    if (flags.threads == 1) stay_on_this_cpu();
  }

  Result<StepTime> time(const Source& source, Noise& noise, const Report& report) {
    Result<BenchJob> job = make_job(flags_, source);
    if (!job) return job.error();
    const Result<Contest> contest = make_contest(std::move(*job), nullptr, part_of(report, 0, kPartOfPreparing));
    if (!contest) return contest.error();
    if (!limits_) {
      report(kPartOfPreparing, "measuring what the machine can do");
      limits_ = load_limits();
    }
    const BenchResult result = measure(*contest, part_of(report, kPartOfPreparing, 1));
    if (correct_limits(result, *limits_)) (void)keep_limits(*limits_);
    noise = result.noise;
    const auto steps = static_cast<double>(flags_.steps);
    return StepTime{result.ours.min() / steps, least_seconds(result.work, *limits_) / steps};
  }

 private:
  BenchFlags flags_;
  std::optional<Limits> limits_;
};

// Times each kind of cell alone. A kind that cannot be timed so has no time.
void time_cells(const std::vector<compiler::CalledCell>& cells, const BenchFlags& flags, const Report& report,
                Explanation& explanation) {
  BenchFlags alone = flags;
  alone.model = {};
  alone.model.isa = flags.model.isa;
  alone.model.weights_as = flags.model.weights_as;
  alone.model.sparse = flags.model.sparse;
  Timer timer(alone);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    Result<Model> model = parse(ir::print(cells[i].cell));
    if (!model) continue;
    Source source{std::move(*model), cells[i].cell, {}, {}, {}};
    const auto begin = static_cast<double>(i), all = static_cast<double>(cells.size());
    Noise ignored;
    if (const auto time = timer.time(source, ignored, part_of(report, begin / all, (begin + 1) / all)))
      explanation.cells[i].measured = *time;
  }
}

}  // namespace

Result<Explanation> explain(const BenchFlags& given, const Report& report) {
  report(0, "planning");
  const Result<Source> source = load_source(given.model);
  if (!source) return source.error();
  BenchFlags flags = given;
  take_sizes(source->given, flags);
  const Result<compiler::Target> target = target_of(flags.model, false);
  if (!target) return target.error();
  const Result<ir::Network> network = bind_with_ranges(*source);
  if (!network) return network.error();
  const compiler::CallList list = compiler::calls_of(*network).list;
  Explanation explanation;
  explanation.kind = source->graph().kind_name();
  explanation.name = source->graph().name;
  explanation.cpu = compiler::name_of(*target);
  explanation.weights_as = flags.model.weights_as;
  explanation.steps = flags.steps;
  explanation.batch = flags.batch;
  explanation.threads = flags.threads;
  explanation.model = facts_of(*network, source->given.graph);
  explanation.boxes = boxes_of(list, source->network.has_value());
  if (const auto added = add_cell_facts(list, *target, flags, explanation); !added) return added.error();
  if (!target_of(flags.model, true)) return explanation;
  const double whole = source->network ? kWhole : 1;
  const Result<StepTime> measured = Timer(flags).time(*source, explanation.noise, part_of(report, 0, whole));
  if (!measured) return measured.error();
  explanation.measured = *measured;
  if (source->network) time_cells(compiler::called_cells(list), flags, part_of(report, whole, 1), explanation);
  return explanation;
}

}  // namespace rnnc::tools
