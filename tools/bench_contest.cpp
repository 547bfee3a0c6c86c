#include "tools/bench_contest.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>
#include <set>

#include <rnnc/session.hpp>

#include "compiler/network/network.hpp"
#include "compiler/schedule/limits.hpp"
#include "compiler/schedule/lower.hpp"
#include "compiler/schedule/plan_stage.hpp"
#include "ir/scan.hpp"
#include "runtime/sparse_panel.hpp"
#include "tools/artifact.hpp"
#include "tools/half_weights.hpp"
#include "tools/random_data.hpp"
#include "tools/rounding_errors.hpp"
#include "tools/tune.hpp"

namespace rnnc::tools {
namespace {

// The interpreter checks a piece of this size at most, which takes it a moment.
constexpr std::int64_t kCheckedSteps = 16, kCheckedBatch = 2;
constexpr double kCheckedFlops = 2e8;
// Tuning takes about this part of the preparations.
constexpr double kTuning = 0.9;

// Counts the layers of scans that lie one behind the other, and the directions of the one that has most. The two
// directions of a layer may be one scan, or two that stand side by side.
void count_scans(const ir::Network& network, Contest& contest) {
  contest.layers = 0;
  std::vector<std::size_t> layer(network.nodes.size());  // of what a value comes from; 0 before the first scan
  std::map<std::size_t, std::set<Direction>> directions;
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    const ir::Node& node = network.nodes[i];
    for (const ir::Value operand : node.operands) layer[i] = std::max(layer[i], layer[operand.index]);
    if (node.op != ir::Op::Scan) continue;
    std::set<Direction>& seen = directions[++layer[i]];
    if (node.scan->direction == Direction::Bidirectional)
      seen = {Direction::Forward, Direction::Reverse};
    else
      seen.insert(node.scan->direction);
    contest.layers = std::max(contest.layers, static_cast<std::int64_t>(layer[i]));
    contest.directions = std::max(contest.directions, std::ssize(seen));
  }
}

Result<std::vector<Work>> work_of(const BenchJob& job) {
  const BenchFlags& flags = job.flags;
  std::vector<Work> result;
  const compiler::PlanOptions options{.weights = weight_format(flags.model),
                                      .machine = compiler::measured_machine(job.target),
                                      .sparse = flags.model.sparse};
  const double rate = compiler::multiply_adds_as_one(job.target, options.weights);
  const compiler::CallList list = compiler::calls_of(job.network).list;
  for (const compiler::Call& call : list.calls) {
    const auto* cell = std::get_if<compiler::CellCall>(&call);
    if (!cell) continue;
    const Result<compiler::Lowered> lowered = compiler::lower(cell->cell, job.target, options);
    if (!lowered) return lowered.error();
    runtime::Description description = compiler::describe(cell->cell, *lowered, job.target);
    if (options.sparse) {
      runtime::AlignedBuffer block;
      const auto packed = runtime::pack_weights(description, compiler::weights_of(*cell, job.source.weights), block);
      if (!packed) return packed.error();
      runtime::take_off_zeros(description, {block.data(), static_cast<std::size_t>(block.size())});
    }
    const std::int64_t steps = cell->axis.empty() ? 1 : job.batch.times.at(cell->axis).steps;
    result.push_back(
        {description.flops_per_step, description.recurrent_bytes, steps, flags.batch, flags.threads, rate});
  }
  return result;
}

// Compiles without the cache, so that the time is that of a whole compilation.
Result<Program> compile_timed(const BenchFlags& flags, const Source& source, double& milliseconds) {
  const auto start = std::chrono::steady_clock::now();
  Result<Program> program = compile(source, flags.model, flags.threads, false);
  milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return program;
}

// Two good f32 implementations may differ by so much, since both round every product of a long sum.
constexpr double kMostDifference = 1e-5;

// Integers differ from f32 by what their definition leaves out, for which there is no limit.
Difference compare_with(const SequenceResult& ours, const SequenceResult& other, const BenchJob& job,
                        std::int64_t sequences, const SequenceResult* rounding = nullptr, bool is_f32 = true) {
  if (is_f32 && !runtime::is_integer(weight_format(job.flags.model)))
    return compare(ours, other, job.interface, sequences, {kMostDifference, rounding});
  Difference difference = compare(ours, other, job.interface, sequences);
  difference.limit = std::numeric_limits<double>::infinity();
  return difference;
}

// The portable executor has the bits of generated code, also where these are not close to those of f32. Returns the
// difference if it has not.
Result<std::optional<Difference>> check_bits(const BenchJob& job, const SequenceResult& ours,
                                             const ir::NetworkBatch& piece, std::int64_t sequences) {
  ModelFlags portable = job.flags.model;
  portable.backend = "portable";
  portable.isa = portable.plan = "";
  const Result<Program> program = compile(job.source, portable, 1, false);
  if (!program) return program.error();
  const Result<SequenceResult> theirs = run_compiled(*program, job.interface, piece);
  if (!theirs) return theirs.error();
  const Difference bits = compare(ours, *theirs, job.interface, sequences, {0});
  return bits.error > 0 ? std::optional(bits) : std::nullopt;
}

Result<Difference> check_against_interpreter(const BenchJob& job, const Program& program, const std::vector<Work>& work,
                                             std::string& compared_with) {
  const BenchFlags& flags = job.flags;
  double step_flops = 1;
  for (const Work& each : work) step_flops += each.flops_per_step;
  const auto affordable = static_cast<std::int64_t>(std::max(1.0, kCheckedFlops / step_flops));
  const std::int64_t steps = std::min({kCheckedSteps, flags.steps, affordable});
  const std::int64_t sequences = std::min(kCheckedBatch, flags.batch);
  const ir::NetworkBatch piece =
      slice(flags.ragged ? job.ragged : job.batch, job.interface, {0, steps}, {0, sequences});
  const Result<SequenceResult> ours = run_compiled(program, job.interface, piece);
  if (!ours) return ours.error();
  const SequenceResult exact = run_interpreted(job.network, job.source.weights, piece);
  if (runtime::is_integer(weight_format(flags.model))) {
    const auto bits = check_bits(job, *ours, piece, sequences);
    if (!bits) return bits.error();
    if (*bits) return compared_with = "the portable executor", **bits;
  }
  const Difference most = compare_with(*ours, exact, job, sequences);
  if (most.error <= most.limit) return most;
  const SequenceResult rounding = rounding_errors(job.network, job.source.weights, piece, {}, program.streams().ok(),
                                                  exact, [](double, const std::string&) {});
  return compare_with(*ours, exact, job, sequences, &rounding);
}

std::function<void()> caller(const Interface& interface, const Program& program, const ir::NetworkBatch& batch) {
  auto prepared = std::make_shared<PreparedRun>(program, interface, batch);
  return [prepared] { (void)prepared->run(); };
}

// Times the plausible plans of the cell on this very shape, and keeps the best for compilations to come.
Result<void> tune_plans(const BenchJob& job, const Report& report, std::vector<std::string>& notes) {
  const BenchFlags& flags = job.flags;
  const Result<ir::Cell> cell = bind_cell(job.source);
  if (!cell) return cell.error();
  const auto compile_plan = [&](const std::string& plan) {
    ModelFlags with_plan = flags.model;
    with_plan.plan = plan;
    return compile(job.source, with_plan, flags.threads, false);
  };
  const auto call = [&](const Program& program) { return caller(job.interface, program, job.batch); };
  const Result<Tuning> tuning = tune(*cell, job.target, static_cast<int>(flags.rounds), compile_plan, call, report);
  if (!tuning) return tuning.error();
  for (const TunedPlan& one : tuning->tried) {
    char line[128];
    std::snprintf(line, sizeof line, "plan %-16s %11.2f us%s", compiler::print(one.choice).c_str(), one.seconds * 1e6,
                  one.is_model ? "  the model's choice" : "");
    notes.emplace_back(line);
  }
  if (tuning->tried.empty()) {
    notes.emplace_back("each stage has one plausible plan: nothing is timed or kept");
    return {};
  }
  if (tuning->noise.is_noisy()) {
    notes.push_back("nothing is kept, since the machine was noisy: " + tuning->noise.to_string() +
                    "; tune again when nothing else runs, or with more --rounds");
    return {};
  }
  const Result<std::string> path = keep(*tuning, *cell, job.target);
  if (!path) return path.error();
  notes.push_back(path->empty() ? "the cache is off: nothing is kept" : "the best is kept in " + *path);
  return {};
}

// Adds single steps of `flags.sessions` streams, and a step of all streams at once. Errors: those of Sessions::make.
Result<void> add_sessions(const BenchFlags& flags, const Program& program, Contest& contest) {
  struct Streams {
    Program program;
    Sessions together;
    std::vector<State> alone;
    std::vector<float> x, y;
  };
  Result<Sessions> sessions = Sessions::make(program, flags.sessions);
  if (!sessions) return sessions.error();
  auto streams = std::make_shared<Streams>(Streams{program, std::move(*sessions), {}, {}, {}});
  for (std::int64_t i = 0; i < flags.sessions; ++i) {
    if (const auto joined = streams->together.join(); !joined) return joined.error();
    streams->alone.push_back(program.make_state(1));
  }
  streams->x = random_values(flags.sessions * program.input_size(), 1, static_cast<std::uint64_t>(flags.seed));
  streams->y.resize(static_cast<std::size_t>(flags.sessions * program.output_size()));
  contest.together = [streams] { (void)streams->together.step(streams->x, streams->y); };
  contest.ours = [streams] {
    std::span<const float> x = streams->x;
    std::span<float> y = streams->y;
    for (State& state : streams->alone) {
      (void)streams->program.step(state, x, y);
      x = x.subspan(static_cast<std::size_t>(streams->program.input_size()));
      y = y.subspan(static_cast<std::size_t>(streams->program.output_size()));
    }
  };
  return {};
}

// Compares the results of a baseline. A model may amplify the rounding of both beyond what good implementations differ
// by else; so where they differ by more, the interpreter tells how much rounding can do on this data, unless that would
// take long.
Difference compare_with_baseline(const SequenceResult& ours, const Baseline& baseline, const BenchJob& job,
                                 const Program& program, const std::vector<Work>& work) {
  const Difference most = compare_with(ours, *baseline.result, job, job.flags.batch, nullptr, baseline.is_f32);
  if (most.error <= most.limit) return most;
  double flops = 0;
  for (const Work& each : work) flops += each.flops_per_step;
  if (flops * static_cast<double>(job.flags.steps * job.flags.batch) > kCheckedFlops) return most;
  const SequenceResult exact = run_interpreted(job.network, job.source.weights, job.batch);
  const SequenceResult rounding = rounding_errors(job.network, job.source.weights, job.batch, {},
                                                  program.streams().ok(), exact, [](double, const std::string&) {});
  return compare_with(ours, *baseline.result, job, job.flags.batch, &rounding, baseline.is_f32);
}

// Runs the baseline once on the job's data, and compares what it gives.
Result<void> add_baseline(const BaselineLibrary& library, const BenchJob& job, const Program& program,
                          Contest& contest) {
  Result<Baseline> made = library.make(job);
  if (!made) return made.error();
  const Result<SequenceResult> ours = run_compiled(program, job.interface, job.batch);
  if (!ours) return ours.error();
  // Both may call something else an output; their numbers would not stand beside each other.
  for (std::size_t i = 0; made->result && i < made->result->outputs.size(); ++i)
    if (i >= ours->outputs.size() || made->result->outputs[i].size() != ours->outputs[i].size())
      return Error{ErrorCode::Unsupported,
                   {},
                   "--against " + made->name + ": output " + std::to_string(i + 1) + " has " +
                       std::to_string(made->result->outputs[i].size()) + " numbers there, and another count in rnnc"};
  contest.notes.insert(contest.notes.end(), made->notes.begin(), made->notes.end());
  if (made->result) contest.from_baseline = compare_with_baseline(*ours, *made, job, program, contest.work);
  contest.baseline = std::move(*made);
  return {};
}

}  // namespace

Result<Contest> make_contest(BenchJob job, const BaselineLibrary* library, const Report& report) {
  const BenchFlags& flags = job.flags;
  Contest contest;
  contest.flags = flags;
  for (const auto& [name, time] : job.batch.times) contest.steps[name] = time.steps;
  if (flags.tune)
    if (const auto tuned = tune_plans(job, part_of(report, 0, kTuning), contest.notes); !tuned) return tuned.error();
  const Interface& interface = job.interface;
  contest.name = flags.model.stack.any() ? job.source.cell.name : interface.name;
  contest.input_size = interface.input_size();
  contest.hidden_size = interface.states.empty() ? 0 : interface.states.front().size;
  count_scans(job.network, contest);
  Result<std::vector<Work>> work = work_of(job);
  if (!work) return work.error();
  contest.work = std::move(*work);
  const Report of_rest = part_of(report, flags.tune ? kTuning : 0, 1);
  of_rest(0, "compiling");
  const Result<Program> program = compile_timed(flags, job.source, contest.compile_ms);
  if (!program) return program.error();
  contest.cpu = program->cpu();
  contest.backend = name_of(program->backend());
  contest.fallback = program->fallback();
  Result<TensorMap> weights = rounded_weights(job.network, job.source.weights, weight_format(flags.model));
  if (!weights) return weights.error();
  job.source.weights = std::move(*weights);
  of_rest(0.5, "comparing with the interpreter");
  const Result<Difference> error = check_against_interpreter(job, *program, contest.work, contest.compared_with);
  if (!error) return error.error();
  contest.from_interpreter = *error;
  contest.ours = caller(job.interface, *program, job.batch);
  if (flags.ragged) contest.ragged = caller(job.interface, *program, job.ragged);
  if (flags.sessions > 0)
    if (const auto added = add_sessions(flags, *program, contest); !added) return added.error();
  if (library != nullptr)
    if (const auto added = add_baseline(*library, job, *program, contest); !added) return added.error();
  return contest;
}

Result<Contest> make_artifact_contest(const BenchFlags& given) {
  Contest contest;
  contest.flags = given;
  const BenchFlags& flags = contest.flags;
  const auto start = std::chrono::steady_clock::now();
  const Result<Program> program = load_program(flags.model, flags.threads);
  if (!program) return program.error();
  contest.compile_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  contest.knows_limit = contest.knows_error = false;
  contest.cpu = program->cpu();
  contest.backend = name_of(program->backend());
  const Interface interface = interface_of(*program);
  contest.name = interface.name;
  contest.input_size = interface.input_size();
  contest.hidden_size = interface.states.empty() ? 0 : interface.states.front().size;
  take_sizes({}, contest.flags);
  const Result<Steps> steps = take_times(interface, contest.flags);
  if (!steps) return steps.error();
  contest.steps = *steps;
  const auto seed = static_cast<std::uint64_t>(flags.seed);
  const ir::NetworkBatch batch = random_batch(interface, *steps, flags.batch, seed, false);
  if (const auto checked = check_memory(2 * run_bytes(*program, interface, batch), "the sequences"); !checked)
    return checked.error();
  contest.ours = caller(interface, *program, batch);
  if (flags.ragged)
    contest.ragged = caller(interface, *program, random_batch(interface, *steps, flags.batch, seed, true));
  if (flags.sessions > 0)
    if (const auto added = add_sessions(flags, *program, contest); !added) return added.error();
  return contest;
}

}  // namespace rnnc::tools
