// rnnc bench of a cell, and of its plans.
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>

#include "bench/onednn/onednn_cell.hpp"
#include "compiler/schedule/lower.hpp"
#include "tools/bench_contest.hpp"
#include "tools/random_data.hpp"
#include "tools/tune.hpp"

namespace rnnc::tools {
namespace {

// The interpreter checks a piece that takes it a moment.
constexpr std::int64_t kCheckedSteps = 16, kCheckedBatch = 2;
constexpr double kCheckedFlops = 2e8;
// The part of the preparations that tuning takes, roughly.
constexpr double kTuning = 0.9;

struct Job {
  Source source;
  ir::Cell cell;
  Interface interface;
  Sequence sequence;
  Work work;
};

Result<Job> make_job(const BenchFlags& flags, Source source) {
  const Result<compiler::Target> target = target_of(flags.model, true);
  if (!target) return target.error();
  if (const auto added = add_sizes(flags, source); !added) return added.error();
  const Result<ir::Cell> cell = bind(source);
  if (!cell) return cell.error();
  Job job{std::move(source), *cell, interface_of(*cell), {flags.steps, flags.batch, {}, {}, {}}, {}};
  const auto rows = static_cast<double>(flags.steps) * static_cast<double>(flags.batch);
  const double row = static_cast<double>(job.interface.input_size + job.interface.output_size);
  // Ours and the baseline's.
  if (const auto checked = check_memory(8 * rows * row, "the sequences"); !checked) return checked.error();
  if (const auto checked = check_memory(6 * parameter_bytes(job.cell), "the weights"); !checked) return checked.error();
  const auto seed = static_cast<std::uint64_t>(flags.seed);
  if (job.source.weights.empty()) job.source.weights = random_weights(job.cell, seed);
  job.sequence.x = random_values(flags.steps * flags.batch * job.interface.input_size, 1, seed);
  const Result<compiler::Lowered> lowered = compiler::lower(job.cell, *target);
  if (!lowered) return lowered.error();
  const auto description = compiler::describe(job.cell, *lowered, *target);
  job.work = {description.flops_per_step, description.recurrent_bytes, flags.steps, flags.batch, flags.threads};
  return job;
}

Result<Difference> check_against_interpreter(const Job& job, const Program& program) {
  const double step_flops = std::max(1.0, job.work.flops_per_step);
  const std::int64_t batch = std::min(kCheckedBatch, job.sequence.batch);
  const auto affordable = static_cast<std::int64_t>(std::max(1.0, kCheckedFlops / step_flops));
  const std::int64_t steps = std::min({kCheckedSteps, job.sequence.steps, affordable});
  const Sequence piece = first_part(job.sequence, steps, batch, job.interface.input_size);
  const Result<SequenceResult> ours = run_compiled(program, piece);
  if (!ours) return ours.error();
  return compare(*ours, run_interpreted(job.cell, job.source.weights, piece), job.interface, batch);
}

Result<Difference> check_against_baseline(const Job& job, const Program& program, bench::OnednnCell& baseline) {
  const Result<SequenceResult> ours = run_compiled(program, job.sequence);
  if (!ours) return ours.error();
  std::ranges::copy(job.sequence.x, baseline.input().begin());
  baseline.run();
  SequenceResult theirs{{baseline.output().begin(), baseline.output().end()}, {}};
  for (const NamedSize& state : job.interface.states) {
    const auto values = baseline.final_state(state.name);
    theirs.states[state.name].assign(values.begin(), values.end());
  }
  return compare(*ours, theirs, job.interface, job.sequence.batch);
}

// Times the plausible plans of the cell on this very shape, and keeps the best for compilations to come.
Result<void> tune_plans(const Job& job, const BenchFlags& flags, const Report& report,
                        std::vector<std::string>& notes) {
  const Result<compiler::Target> target = target_of(flags.model, true);
  if (!target) return target.error();
  std::deque<State> states;
  std::vector<float> y(static_cast<std::size_t>(job.sequence.steps * job.sequence.batch * job.interface.output_size));
  const auto compile_plan = [&](const std::string& plan) {
    ModelFlags with_plan = flags.model;
    with_plan.plan = plan;
    return compile(job.source, with_plan, flags.threads, false);
  };
  const auto call = [&](const Program& program) -> std::function<void()> {
    State& state = states.emplace_back(program.make_state(job.sequence.batch));
    return [&] { (void)program.run({job.sequence.x.data(), y.data(), job.sequence.steps, job.sequence.batch, state}); };
  };
  const Result<Tuning> tuning = tune(job.cell, *target, static_cast<int>(flags.rounds), compile_plan, call, report);
  if (!tuning) return tuning.error();
  for (const TunedPlan& one : tuning->tried) {
    char line[128];
    std::snprintf(line, sizeof line, "plan %-16s %11.2f us%s", compiler::print(one.choice).c_str(), one.seconds * 1e6,
                  one.is_model ? "  the model's choice" : "");
    notes.emplace_back(line);
  }
  const Result<std::string> path = keep(*tuning, job.cell, *target);
  if (!path) return path.error();
  notes.push_back(path->empty() ? "the cache is off: nothing is kept" : "the best is kept in " + *path);
  return {};
}

std::function<void()> caller(const Job& job, const Program& program, std::vector<std::int32_t> lengths) {
  struct Prepared {
    Program program;
    Sequence sequence;
    State state;
    std::vector<float> y;
  };
  Sequence sequence = job.sequence;
  sequence.lengths = std::move(lengths);
  std::vector<float> y(static_cast<std::size_t>(sequence.steps * sequence.batch * program.output_size()));
  auto prepared = std::make_shared<Prepared>(
      Prepared{program, std::move(sequence), program.make_state(job.sequence.batch), std::move(y)});
  return [prepared] {
    Prepared& p = *prepared;
    (void)p.program.run({.x = p.sequence.x.data(),
                         .y = p.y.data(),
                         .steps = p.sequence.steps,
                         .batch = p.sequence.batch,
                         .state = p.state,
                         .lengths = p.sequence.lengths.empty() ? nullptr : p.sequence.lengths.data()});
  };
}

Result<void> add_baseline(const BenchFlags& flags, const Job& job, const Program& program, Contest& contest) {
  Result<bench::OnednnCell> made = bench::OnednnCell::make(job.cell.name, job.source.weights, flags.steps, flags.batch,
                                                           static_cast<int>(flags.threads));
  if (!made) return made.error();
  auto baseline = std::make_shared<bench::OnednnCell>(std::move(*made));
  const Result<Difference> difference = check_against_baseline(job, program, *baseline);
  if (!difference) return difference.error();
  contest.from_baseline = *difference;
  contest.baseline = [baseline] { baseline->run(); };
  return {};
}

}  // namespace

Result<Contest> contest_of_cell(const BenchFlags& flags, Source source, const Report& report) {
  const Result<Job> job = make_job(flags, std::move(source));
  if (!job) return job.error();
  Contest contest;
  if (flags.tune)
    if (const auto tuned = tune_plans(*job, flags, part_of(report, 0, kTuning), contest.notes); !tuned)
      return tuned.error();
  contest.name = job->cell.name;
  contest.input_size = job->interface.input_size;
  contest.hidden_size = job->interface.states.empty() ? 0 : job->interface.states.front().size;
  contest.work = {job->work};
  const Report of_rest = part_of(report, flags.tune ? kTuning : 0, 1);
  of_rest(0, "compiling");
  const Result<Program> program = compile_timed(flags, job->source, contest.compile_ms);
  if (!program) return program.error();
  contest.cpu = program->cpu();
  contest.backend = name_of(program->backend());
  contest.fallback = program->fallback();
  of_rest(0.5, "comparing with the interpreter");
  const Result<Difference> error = check_against_interpreter(*job, *program);
  if (!error) return error.error();
  contest.from_interpreter = *error;
  contest.ours = caller(*job, *program, {});
  const auto seed = static_cast<std::uint64_t>(flags.seed);
  if (flags.ragged) contest.ragged = caller(*job, *program, random_lengths(flags.steps, flags.batch, seed));
  if (flags.sessions > 0)
    if (const auto added = add_sessions(flags, *program, contest); !added) return added.error();
  if (!flags.against.empty())
    if (const auto added = add_baseline(flags, *job, *program, contest); !added) return added.error();
  return contest;
}

}  // namespace rnnc::tools
