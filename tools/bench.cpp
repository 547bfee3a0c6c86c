// rnnc bench: how long sequences take, beside what this machine needs at least and, where asked for, beside oneDNN.
#include <chrono>
#include <cstdio>
#include <deque>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "bench/onednn/onednn_cell.hpp"
#include "compiler/lower.hpp"
#include "tools/exit_code.hpp"
#include "tools/flags.hpp"
#include "tools/load_model.hpp"
#include "tools/random_data.hpp"
#include "tools/roofline.hpp"
#include "tools/sequence.hpp"
#include "tools/timing.hpp"
#include "tools/tune.hpp"
#include "tools/verbs.hpp"

namespace rnnc::tools {
namespace {

// Both sides round every product of a long sum: what two good f32 implementations may differ by.
constexpr double kMostDifference = 1e-5;
// The interpreter checks a piece that takes it a moment.
constexpr std::int64_t kCheckedSteps = 16, kCheckedBatch = 2;
constexpr double kCheckedFlops = 2e8;

struct BenchFlags {
  ModelFlags model;
  std::int64_t steps = 0, batch = 0, input_size = 0, hidden_size = 0;
  std::int64_t layers = 1, threads = 1, rounds = 5, seed = 1;
  bool bidirectional = false, json = false, tune = false;
  std::string against;
};

struct Measured {
  Times ours, baseline;
  double compile_ms = 0;
  Difference from_interpreter, from_baseline;
};

// What is timed.
struct Job {
  Source source;
  ir::Cell cell;
  Interface interface;
  Sequence sequence;
  Work work;
};

Result<void> check_supported(const BenchFlags& flags) {
  if (flags.layers != 1) return Error{ErrorCode::Unsupported, {}, "--layers above 1: not supported yet; use 1", {}};
  if (flags.bidirectional) return Error{ErrorCode::Unsupported, {}, "--bidirectional: not supported yet", {}};
  if (const auto target = target_of(flags.model, true); !target) return target.error();
  return {};
}

// --input-size and --hidden-size are dims I and H of the standard cells.
Result<void> add_sizes(const BenchFlags& flags, Source& source) {
  for (const auto& [flag, dim, size] :
       {std::tuple("--input-size", "I", flags.input_size), std::tuple("--hidden-size", "H", flags.hidden_size)}) {
    const bool has = std::ranges::find(source.cell.dims, dim) != source.cell.dims.end();
    if (size > 0 && !has)
      return usage_error(flag,
                         "cell " + source.cell.name + " has no dim " + dim + "; give its sizes by --dim NAME=SIZE");
    if (size > 0 && !source.dims.emplace(dim, size).second)
      return usage_error(flag, std::string("dim ") + dim + " is given by --dim too; leave one of them out");
    if (has && !source.dims.contains(dim) && source.weights.empty())
      return usage_error(flag, std::string("missing; cell ") + source.cell.name + " needs its dim " + dim);
  }
  return {};
}

Result<Job> make_job(const BenchFlags& flags) {
  if (const auto checked = check_supported(flags); !checked) return checked.error();
  Result<Source> source = load_source(flags.model);
  if (!source) return source.error();
  if (const auto added = add_sizes(flags, *source); !added) return added.error();
  const Result<ir::Cell> cell = bind(*source);
  if (!cell) return cell.error();
  Job job{std::move(*source), *cell, interface_of(*cell), {flags.steps, flags.batch, {}, {}, {}}, {}};
  const auto rows = static_cast<double>(flags.steps) * static_cast<double>(flags.batch);
  const double row = static_cast<double>(job.interface.input_size + job.interface.output_size);
  // Ours and the baseline's.
  if (const auto checked = check_memory(8 * rows * row, "the sequences"); !checked) return checked.error();
  if (const auto checked = check_memory(6 * parameter_bytes(job.cell), "the weights"); !checked) return checked.error();
  const auto seed = static_cast<std::uint64_t>(flags.seed);
  if (job.source.weights.empty()) job.source.weights = random_weights(job.cell, seed);
  job.sequence.x = random_values(flags.steps * flags.batch * job.interface.input_size, 1, seed);
  const Result<compiler::Target> target = target_of(flags.model, true);
  if (!target) return target.error();
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

Times time_both(const Job& job, const Program& program, bench::OnednnCell* baseline, int rounds, Times& theirs) {
  State state = program.make_state(job.sequence.batch);
  std::vector<float> y(static_cast<std::size_t>(job.sequence.steps * job.sequence.batch * program.output_size()));
  const RunArguments arguments{job.sequence.x.data(), y.data(), job.sequence.steps, job.sequence.batch, state};
  std::vector<std::function<void()>> calls = {[&] { (void)program.run(arguments); }};
  if (baseline) calls.push_back([&] { baseline->run(); });
  const std::vector<Times> times = time_in_turns(calls, rounds);
  if (baseline) theirs = times[1];
  return times[0];
}

Result<Measured> measure(const Job& job, const BenchFlags& flags) {
  Measured measured;
  const auto start = std::chrono::steady_clock::now();
  const Result<Program> program = compile(job.source, flags.model, flags.threads, false);
  measured.compile_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  if (!program) return program.error();
  const Result<Difference> error = check_against_interpreter(job, *program);
  if (!error) return error.error();
  measured.from_interpreter = *error;
  std::optional<bench::OnednnCell> baseline;
  if (!flags.against.empty()) {
    Result<bench::OnednnCell> made = bench::OnednnCell::make(job.cell.name, job.source.weights, flags.steps,
                                                             flags.batch, static_cast<int>(flags.threads));
    if (!made) return made.error();
    baseline.emplace(std::move(*made));
    const Result<Difference> difference = check_against_baseline(job, *program, *baseline);
    if (!difference) return difference.error();
    measured.from_baseline = *difference;
  }
  measured.ours =
      time_both(job, *program, baseline ? &*baseline : nullptr, static_cast<int>(flags.rounds), measured.baseline);
  return measured;
}

// Times the plausible plans of the cell on this very shape, and keeps the best for compilations to come.
Result<void> tune_plans(const Job& job, const BenchFlags& flags) {
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
  const Result<Tuning> tuning = tune(job.cell, *target, static_cast<int>(flags.rounds), compile_plan, call);
  if (!tuning) return tuning.error();
  for (const TunedPlan& one : tuning->tried)
    std::cout << "  plan " << std::left << std::setw(16) << compiler::print(one.choice) << std::right << std::fixed
              << std::setprecision(2) << std::setw(12) << one.seconds * 1e6 << " us"
              << (one.is_model ? "  the model's choice" : "") << "\n";
  const Result<std::string> path = keep(*tuning, job.cell, *target);
  if (!path) return path.error();
  std::cout << (path->empty() ? "  the cache is off: nothing is kept" : "  the best is kept in " + *path) << "\n";
  return {};
}

nlohmann::ordered_json to_json(const Limits& limits) {
  nlohmann::ordered_json reads = nlohmann::ordered_json::array();
  for (const ReadSpeed& read : limits.reads) reads.push_back({read.bytes, read.bytes_per_second * 1e-9});
  return {{"cpu", limits.cpu}, {"peak_gflops", limits.flops_per_second * 1e-9}, {"read_gbytes_per_second", reads}};
}

nlohmann::ordered_json to_json(const Job& job, const Measured& measured, const std::string& isa, const Limits& limits,
                               const BenchFlags& flags) {
  const double limit = least_seconds(job.work, limits);
  const double flops = job.work.flops_per_step * static_cast<double>(flags.steps) * static_cast<double>(flags.batch);
  nlohmann::ordered_json result = {
      {"cell", job.cell.name},
      {"steps", flags.steps},
      {"batch", flags.batch},
      {"input_size", job.interface.input_size},
      {"hidden_size", job.interface.states.empty() ? 0 : job.interface.states.front().size},
      {"threads", flags.threads},
      {"isa", isa},
      {"time_us_min", measured.ours.min * 1e6},
      {"time_us_median", measured.ours.median * 1e6},
      {"per_step_us", measured.ours.min * 1e6 / static_cast<double>(flags.steps)},
      {"gflops", flops / measured.ours.min * 1e-9},
      {"bytes_per_step", job.work.recurrent_bytes},
      {"compile_ms", measured.compile_ms},
      {"limit_us", limit * 1e6},
      {"limit_fraction", limit / measured.ours.min},
      {"max_error", measured.from_interpreter.error},
      {"core", to_json(limits)}};
  if (flags.against.empty()) return result;
  result["baseline"] = {{"name", "onednn"},
                        {"version", bench::OnednnCell::version()},
                        {"time_us_min", measured.baseline.min * 1e6},
                        {"time_us_median", measured.baseline.median * 1e6},
                        {"max_difference", measured.from_baseline.error}};
  result["ratio"] = measured.baseline.min / measured.ours.min;
  return result;
}

void print_table(const nlohmann::ordered_json& r) {
  const auto number = [&](const char* key) { return r.at(key).get<double>(); };
  std::printf("%s  steps %lld, batch %lld, input %lld, hidden %lld, threads %lld, %s\n",
              r.at("cell").get<std::string>().c_str(), r.at("steps").get<long long>(), r.at("batch").get<long long>(),
              r.at("input_size").get<long long>(), r.at("hidden_size").get<long long>(),
              r.at("threads").get<long long>(), r.at("isa").get<std::string>().c_str());
  std::printf("  rnnc      %12.2f us  (median %.2f, %.3f a step, %.1f GFLOP/s)\n", number("time_us_min"),
              number("time_us_median"), number("per_step_us"), number("gflops"));
  if (r.contains("baseline")) {
    const auto& baseline = r.at("baseline");
    std::printf("  oneDNN    %12.2f us  (version %s)  ratio %.2f\n", baseline.at("time_us_min").get<double>(),
                baseline.at("version").get<std::string>().c_str(), number("ratio"));
  }
  std::printf("  limit     %12.2f us  (reached to %.0f %%)\n", number("limit_us"), 100 * number("limit_fraction"));
  std::printf("  compiled in %.1f ms; error %.1g against the interpreter\n", number("compile_ms"), number("max_error"));
}

bool agrees(const Difference& difference, const char* with) {
  if (difference.error <= kMostDifference) return true;
  std::cerr << "rnnc: mismatch with " << with << ": error " << difference.error << " at " << difference.where << "\n";
  return false;
}

Result<int> run(const BenchFlags& flags) {
  const Result<Job> job = make_job(flags);
  if (!job) return job.error();
  if (flags.threads == 1)
    stay_on_this_cpu();
  else
    use_all_cpus();
  if (flags.tune)
    if (const auto tuned = tune_plans(*job, flags); !tuned) return tuned.error();
  const Limits limits = load_limits();
  const Result<Measured> measured = measure(*job, flags);
  if (!measured) return measured.error();
  const Result<compiler::Target> target = target_of(flags.model, true);
  if (!target) return target.error();
  const auto result = to_json(*job, *measured, target->cpu, limits, flags);
  if (flags.json)
    std::cout << result.dump() << "\n" << std::flush;
  else
    print_table(result);
  const bool sound = agrees(measured->from_interpreter, "the interpreter");
  return agrees(measured->from_baseline, "oneDNN") && sound ? kOk : kMismatch;
}

}  // namespace

Verb add_bench(CLI::App& program) {
  CLI::App& app = *program.add_subcommand(
      "bench",
      "Example: rnnc bench --cell lstm --steps 100 --batch 1 --input-size 64 --hidden-size 64 --against onednn\n\n"
      "Times a cell on this machine: best and median call, and the limit that the machine itself sets.");
  auto flags = std::make_shared<BenchFlags>();
  add_model_flags(app, flags->model);
  add_number(app, "--steps", flags->steps, 1, kMaxSize, "time steps")->required();
  add_number(app, "--batch", flags->batch, 1, kMaxSize, "sequences side by side")->required();
  add_number(app, "--input-size", flags->input_size, 1, kMaxSize, "dim I of the cell");
  add_number(app, "--hidden-size", flags->hidden_size, 1, kMaxSize, "dim H of the cell");
  add_number(app, "--layers", flags->layers, 1, 1024, "layers (default 1)");
  app.add_flag("--bidirectional", flags->bidirectional, "both directions of time");
  add_number(app, "--threads", flags->threads, 1, kMaxThreads, "threads to run on (default 1)");
  app.add_option("--against", flags->against, "a baseline to time in turns and to compare results with: onednn")
      ->check(CLI::IsMember({"onednn"}).description(""))
      ->type_name("NAME");
  add_number(app, "--rounds", flags->rounds, 3, 1000, "turns of each contestant (default 5)");
  add_number(app, "--seed", flags->seed, 0, std::int64_t{1} << 53, "of the random data (default 1)");
  add_plan_flag(app, flags->model);
  app.add_flag("--tune", flags->tune, "first time the plausible plans, and keep the best in the cache folder");
  app.add_flag("--json", flags->json, "print a JSON object as the last line, and no table");
  return {&app, [flags] { return run(*flags); }};
}

}  // namespace rnnc::tools
