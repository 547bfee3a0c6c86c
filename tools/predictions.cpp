#include "tools/predictions.hpp"

#include <functional>
#include <utility>

#include "compiler/schedule/limits.hpp"
#include "compiler/schedule/lower.hpp"
#include "compiler/schedule/plan_stage.hpp"
#include "tools/bench_contest.hpp"
#include "tools/bench_shapes.hpp"
#include "tools/timing.hpp"

namespace rnnc::tools {
namespace {

constexpr double kPartOfCompiling = 0.4;  // the part of the time before anything is timed
constexpr int kRoundsOfCalls = 3;

std::vector<BenchFlags> shapes_to_predict() {
  std::vector<BenchFlags> shapes;
  for (const std::int64_t batch : {1, 8})
    for (const char* cell : {"lstm", "gru", "rnn"})
      for (const std::int64_t size : {64, 256}) {
        BenchFlags& flags = shapes.emplace_back();
        flags.model.cell = cell;
        flags.steps = batch == 1 ? 100 : 25;
        flags.batch = batch;
        flags.input_size = flags.hidden_size = size;
      }
  return shapes;
}

std::string plan_text(const compiler::Plan& plan) {
  std::string text;
  for (std::size_t i = 0; i < plan.stages.size(); ++i)
    text += (i == 0 ? "" : ",") + compiler::print(compiler::choice_of(i, plan.stages[i]));
  return text;
}

// Makes the contest of a shape, by the plan that the cost model chooses: one that was tuned is not meant.
Result<Contest> contest_of(BenchFlags& flags, Predictions& predictions) {
  const Result<Source> source = load_source(flags.model);
  if (!source) return source.error();
  Source sized = *source;
  if (const auto added = add_sizes(flags, sized); !added) return added.error();
  const Result<ir::Cell> cell = bind_cell(sized);
  if (!cell) return cell.error();
  const Result<compiler::Target> target = target_of(flags.model, true);
  if (!target) return target.error();
  const Result<compiler::Lowered> lowered =
      compiler::lower(*cell, *target, {.machine = compiler::measured_machine(*target)});
  if (!lowered) return lowered.error();
  predictions.machine = lowered->plan.machine.name;
  predictions.shapes.push_back(
      {shape_of(flags), compiler::step_seconds(lowered->schedule, lowered->plan, *target, flags.batch)});
  flags.model.plan = plan_text(lowered->plan);
  Result<BenchJob> job = make_job(flags, *source);
  if (!job) return job.error();
  return make_contest(std::move(*job), nullptr, [](double, const std::string&) {});
}

}  // namespace

Result<Predictions> check_predictions(const Report& report) {
  std::vector<BenchFlags> shapes = shapes_to_predict();
  Predictions predictions;
  std::vector<Contestant> calls;
  for (BenchFlags& flags : shapes) {
    report(kPartOfCompiling * static_cast<double>(calls.size()) / static_cast<double>(shapes.size()), "compiling");
    Result<Contest> contest = contest_of(flags, predictions);
    if (!contest) return contest.error();
    calls.push_back({std::move(contest->ours), {}});
  }
  const std::vector<Times> times = time_in_turns(calls, kRoundsOfCalls, part_of(report, kPartOfCompiling, 1));
  for (std::size_t i = 0; i < times.size(); ++i)
    predictions.shapes[i].measured_seconds = times[i].min() / static_cast<double>(shapes[i].steps);
  return predictions;
}

}  // namespace rnnc::tools
