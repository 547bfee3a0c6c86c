#include "tools/bench_contest.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <memory>
#include <ranges>
#include <tuple>

#include <rnnc/session.hpp>

#include "compiler/network/network.hpp"
#include "compiler/schedule/limits.hpp"
#include "compiler/schedule/lower.hpp"
#include "compiler/schedule/plan_stage.hpp"
#include "ir/scan.hpp"
#include "runtime/sparse_panel.hpp"
#include "tools/exit_code.hpp"
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

struct Job {
  Source source;
  compiler::Target target;
  ir::Network network;
  Interface interface;
  ir::NetworkBatch batch, ragged;  // `ragged` is empty where it is not asked for
};

Result<Job> make_job(const BenchFlags& flags, Source source) {
  const Result<compiler::Target> target = target_of(flags.model, true);
  if (!target) return target.error();
  if (const auto added = add_sizes(flags, source); !added) return added.error();
  const Result<ir::Network> network = bind(source);
  if (!network) return network.error();
  Job job{std::move(source), *target, *network, interface_of(*network), {}, {}};
  // The factors leave room for the data of rnnc and of the baseline.
  const double bytes = value_bytes(job.network, random_batch(job.interface, 1, 1, 1, false)) *
                       static_cast<double>(flags.steps) * static_cast<double>(flags.batch);
  if (const auto checked = check_memory(3 * bytes, "the sequences"); !checked) return checked.error();
  if (const auto checked = check_memory(6 * parameter_bytes(job.network), "the weights"); !checked)
    return checked.error();
  const auto seed = static_cast<std::uint64_t>(flags.seed);
  if (job.source.weights.empty()) job.source.weights = random_weights(job.network, seed);
  job.batch = random_batch(job.interface, flags.steps, flags.batch, seed, false);
  if (flags.ragged) job.ragged = random_batch(job.interface, flags.steps, flags.batch, seed, true);
  return job;
}

// Counts the layers, which lie one behind the other, and their directions.
void count_scans(const ir::Network& network, Contest& contest) {
  contest.layers = 0;
  for (const ir::Node& node : network.nodes) {
    if (node.op != ir::Op::Scan) continue;
    ++contest.layers;
    contest.directions = std::max(contest.directions, std::ssize(ir::scan_prefixes(node)));
  }
}

Result<std::vector<Work>> work_of(const Job& job, const BenchFlags& flags) {
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
      const auto packed = runtime::pack_weights(description, compiler::weights_of(*cell, job.source.weights));
      if (!packed) return packed.error();
      runtime::take_off_zeros(description, {packed->data(), static_cast<std::size_t>(packed->size())});
    }
    result.push_back({description.flops_per_step, description.recurrent_bytes, cell->axis.empty() ? 1 : flags.steps,
                      flags.batch, flags.threads, rate});
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
Difference compare_with(const SequenceResult& ours, const SequenceResult& other, const Job& job,
                        const BenchFlags& flags, std::int64_t sequences, const SequenceResult* rounding = nullptr,
                        bool is_f32 = true) {
  if (is_f32 && !runtime::is_integer(weight_format(flags.model)))
    return compare(ours, other, job.interface, sequences, {kMostDifference, rounding});
  Difference difference = compare(ours, other, job.interface, sequences);
  difference.limit = std::numeric_limits<double>::infinity();
  return difference;
}

// The portable executor has the bits of generated code, also where these are not close to those of f32. Returns the
// difference if it has not.
Result<std::optional<Difference>> check_bits(const Job& job, const BenchFlags& flags, const SequenceResult& ours,
                                             const ir::NetworkBatch& piece, std::int64_t sequences) {
  ModelFlags portable = flags.model;
  portable.backend = "portable";
  portable.isa = portable.plan = "";
  const Result<Program> program = compile(job.source, portable, 1, false);
  if (!program) return program.error();
  const Result<SequenceResult> theirs = run_compiled(*program, job.interface, piece);
  if (!theirs) return theirs.error();
  const Difference bits = compare(ours, *theirs, job.interface, sequences, {0});
  return bits.error > 0 ? std::optional(bits) : std::nullopt;
}

Result<Difference> check_against_interpreter(const Job& job, const BenchFlags& flags, const Program& program,
                                             const std::vector<Work>& work, std::string& compared_with) {
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
    const auto bits = check_bits(job, flags, *ours, piece, sequences);
    if (!bits) return bits.error();
    if (*bits) return compared_with = "the portable executor", **bits;
  }
  const Difference most = compare_with(*ours, exact, job, flags, sequences);
  if (most.error <= most.limit) return most;
  const SequenceResult rounding = rounding_errors(job.network, job.source.weights, piece, program.streams().ok(), exact,
                                                  [](double, const std::string&) {});
  return compare_with(*ours, exact, job, flags, sequences, &rounding);
}

std::function<void()> caller(const Job& job, const Program& program, const ir::NetworkBatch& batch) {
  auto prepared = std::make_shared<PreparedRun>(program, job.interface, batch);
  return [prepared] { (void)prepared->run(); };
}

// Times the plausible plans of the cell on this very shape, and keeps the best for compilations to come.
Result<void> tune_plans(const Job& job, const BenchFlags& flags, const Report& report,
                        std::vector<std::string>& notes) {
  const Result<ir::Cell> cell = bind_cell(job.source);
  if (!cell) return cell.error();
  const auto compile_plan = [&](const std::string& plan) {
    ModelFlags with_plan = flags.model;
    with_plan.plan = plan;
    return compile(job.source, with_plan, flags.threads, false);
  };
  const auto call = [&](const Program& program) { return caller(job, program, job.batch); };
  const Result<Tuning> tuning = tune(*cell, job.target, static_cast<int>(flags.rounds), compile_plan, call, report);
  if (!tuning) return tuning.error();
  for (const TunedPlan& one : tuning->tried) {
    char line[128];
    std::snprintf(line, sizeof line, "plan %-16s %11.2f us%s", compiler::print(one.choice).c_str(), one.seconds * 1e6,
                  one.is_model ? "  the model's choice" : "");
    notes.emplace_back(line);
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

// Sorts the weights of a stack by layer and direction, under the cell's names.
std::vector<std::vector<TensorMap>> weights_by_layer(const Job& job) {
  std::vector<std::vector<TensorMap>> layers;
  for (const ir::Node& node : job.network.nodes) {
    if (node.op != ir::Op::Scan) continue;
    std::vector<TensorMap>& directions = layers.emplace_back();
    for (const std::string& prefix : ir::scan_prefixes(node)) {
      TensorMap& own = directions.emplace_back();
      for (const auto& [name, tensor] : job.source.weights)
        if (name.starts_with(prefix)) own.emplace(name.substr(prefix.size()), tensor);
    }
  }
  return layers;
}

// The final states of the result are those of the last layer, one direction after the other.
SequenceResult result_of(const OnednnStack& stack, const ir::Network& network) {
  SequenceResult result;
  result.outputs.emplace_back(stack.output().begin(), stack.output().end());
  for (const ir::Node& node : network.nodes | std::views::reverse) {
    if (node.op != ir::Op::Scan) continue;
    const std::vector<std::string> prefixes = ir::scan_prefixes(node);
    for (const ir::Node& state : node.scan->cell->nodes) {
      if (state.op != ir::Op::State) continue;
      const std::span<const float> values = stack.final_state(state.name);
      const std::size_t size = values.size() / prefixes.size();
      if (size == 0) continue;
      for (std::size_t d = 0; d < prefixes.size(); ++d) {
        const auto own = values.subspan(d * size, size);
        result.states[prefixes[d] + state.name].assign(own.begin(), own.end());
      }
    }
    break;
  }
  return result;
}

OnednnNumbers numbers_of(const BenchFlags& flags) {
  if (flags.against == "onednn-bf16") return OnednnNumbers::Bf16;
  return flags.against == "onednn-u8" ? OnednnNumbers::U8 : OnednnNumbers::F32;
}

Result<void> add_baseline(const BenchFlags& flags, const OnednnPlugin& onednn, const Job& job, const Program& program,
                          Contest& contest) {
  if (job.source.network && !flags.model.stack.any())
    return Error{
        ErrorCode::Unsupported, {}, "oneDNN baseline: it runs cells and stacks of them (--layers, --bidirectional)"};
  const OnednnNumbers numbers = numbers_of(flags);
  Result<OnednnStack> made =
      onednn.make(job.source.cell.name, weights_by_layer(job), flags.steps, flags.batch, flags.threads, numbers);
  if (!made) return made.error();
  auto stack = std::make_shared<OnednnStack>(std::move(*made));
  const Result<SequenceResult> ours = run_compiled(program, job.interface, job.batch);
  if (!ours) return ours.error();
  std::ranges::copy(job.batch.inputs.begin()->second, stack->input().begin());
  stack->run();
  if (const std::string difference = stack->difference(); !difference.empty())
    contest.notes.push_back(difference + "; results are not compared");
  else
    contest.from_baseline = compare_with(*ours, result_of(*stack, job.network), job, flags, flags.batch, nullptr,
                                         numbers == OnednnNumbers::F32);
  contest.baseline = [stack] { stack->run(); };
  contest.baseline_name = flags.against;
  contest.baseline_version = onednn.version();
  return {};
}

}  // namespace

Result<void> add_sizes(const BenchFlags& flags, Source& source) {
  const ir::Graph& graph = source.graph();
  const std::string what = std::string(graph.kind_name()) + " " + graph.name;
  for (const auto& [flag, dim, size] :
       {std::tuple("--input-size", "I", flags.input_size), std::tuple("--hidden-size", "H", flags.hidden_size)}) {
    const bool has = std::ranges::find(graph.dims, dim) != graph.dims.end();
    if (size > 0 && !has) return usage_error(flag, what + " has no dim " + dim + "; give its sizes by --dim NAME=SIZE");
    if (size > 0 && !source.dims.emplace(dim, size).second)
      return usage_error(flag, std::string("dim ") + dim + " is given by --dim too; leave one of them out");
    if (has && !source.dims.contains(dim) && source.weights.empty())
      return usage_error(flag, "missing; " + what + " needs its dim " + dim);
  }
  return {};
}

Result<Contest> make_contest(const BenchFlags& flags, Source source, const OnednnPlugin* onednn, const Report& report) {
  Result<Job> job = make_job(flags, std::move(source));
  if (!job) return job.error();
  Contest contest;
  if (flags.tune)
    if (const auto tuned = tune_plans(*job, flags, part_of(report, 0, kTuning), contest.notes); !tuned)
      return tuned.error();
  const Interface& interface = job->interface;
  contest.name = flags.model.stack.any() ? job->source.cell.name : interface.name;
  contest.input_size = interface.input_size();
  contest.hidden_size = interface.states.empty() ? 0 : interface.states.front().size;
  count_scans(job->network, contest);
  Result<std::vector<Work>> work = work_of(*job, flags);
  if (!work) return work.error();
  contest.work = std::move(*work);
  const Report of_rest = part_of(report, flags.tune ? kTuning : 0, 1);
  of_rest(0, "compiling");
  const Result<Program> program = compile_timed(flags, job->source, contest.compile_ms);
  if (!program) return program.error();
  contest.cpu = program->cpu();
  contest.backend = name_of(program->backend());
  contest.fallback = program->fallback();
  Result<TensorMap> weights = rounded_weights(job->network, job->source.weights, weight_format(flags.model));
  if (!weights) return weights.error();
  job->source.weights = std::move(*weights);
  of_rest(0.5, "comparing with the interpreter");
  const Result<Difference> error =
      check_against_interpreter(*job, flags, *program, contest.work, contest.compared_with);
  if (!error) return error.error();
  contest.from_interpreter = *error;
  contest.ours = caller(*job, *program, job->batch);
  if (flags.ragged) contest.ragged = caller(*job, *program, job->ragged);
  if (flags.sessions > 0)
    if (const auto added = add_sessions(flags, *program, contest); !added) return added.error();
  if (onednn != nullptr)
    if (const auto added = add_baseline(flags, *onednn, *job, *program, contest); !added) return added.error();
  return contest;
}

}  // namespace rnnc::tools
