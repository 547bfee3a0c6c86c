// rnnc bench: how long sequences take, beside what this machine needs at least and, where asked for, beside oneDNN.
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "bench/onednn/onednn_cell.hpp"
#include "tools/bench_contest.hpp"
#include "tools/command_line.hpp"
#include "tools/exit_code.hpp"
#include "tools/timing.hpp"
#include "tools/verbs.hpp"

namespace rnnc::tools {
namespace {

// Both sides round every product of a long sum: what two good f32 implementations may differ by.
constexpr double kMostDifference = 1e-5;

struct Measured {
  Times ours, ragged, together, baseline;
};

Measured measure(const Contest& contest, int rounds) {
  Measured measured;
  std::vector<std::function<void()>> calls;
  std::vector<Times*> times;
  for (const auto& [call, to] : {std::pair(&contest.ours, &measured.ours),
                                 {&contest.ragged, &measured.ragged},
                                 {&contest.together, &measured.together},
                                 {&contest.baseline, &measured.baseline}}) {
    if (!*call) continue;
    calls.push_back(*call);
    times.push_back(to);
  }
  const std::vector<Times> found = time_in_turns(calls, rounds);
  for (std::size_t i = 0; i < found.size(); ++i) *times[i] = found[i];
  return measured;
}

nlohmann::ordered_json to_json(const Limits& limits) {
  nlohmann::ordered_json reads = nlohmann::ordered_json::array();
  for (const ReadSpeed& read : limits.reads) reads.push_back({read.bytes, read.bytes_per_second * 1e-9});
  return {{"cpu", limits.cpu}, {"peak_gflops", limits.flops_per_second * 1e-9}, {"read_gbytes_per_second", reads}};
}

nlohmann::ordered_json to_json(const Contest& contest, const Measured& measured, const std::string& isa,
                               const Limits& limits, const BenchFlags& flags) {
  double limit = 0, flops = 0, recurrent_bytes = 0;
  for (const Work& work : contest.work) {
    limit += least_seconds(work, limits);
    flops += work.flops_per_step * static_cast<double>(work.steps) * static_cast<double>(work.batch);
    recurrent_bytes += work.recurrent_bytes;
  }
  nlohmann::ordered_json result = {{"cell", contest.name},
                                   {"steps", flags.steps},
                                   {"batch", flags.batch},
                                   {"input_size", contest.input_size},
                                   {"hidden_size", contest.hidden_size},
                                   {"layers", contest.layers},
                                   {"directions", contest.directions},
                                   {"threads", flags.threads},
                                   {"isa", isa},
                                   {"time_us_min", measured.ours.min * 1e6},
                                   {"time_us_median", measured.ours.median * 1e6},
                                   {"per_step_us", measured.ours.min * 1e6 / static_cast<double>(flags.steps)},
                                   {"gflops", flops / measured.ours.min * 1e-9},
                                   {"bytes_per_step", recurrent_bytes},
                                   {"compile_ms", contest.compile_ms},
                                   {"limit_us", limit * 1e6},
                                   {"limit_fraction", limit / measured.ours.min},
                                   {"max_error", contest.from_interpreter.error},
                                   {"core", to_json(limits)}};
  if (contest.ragged)
    result["ragged"] = {{"time_us_min", measured.ragged.min * 1e6},
                        {"of_whole", measured.ragged.min / measured.ours.min}};
  if (contest.together)
    result["sessions"] = {{"count", flags.sessions},
                          {"time_us_min", measured.together.min * 1e6},
                          {"of_single_steps", measured.together.min / measured.ours.min}};
  if (!contest.baseline) return result;
  result["baseline"] = {{"name", "onednn"},
                        {"version", bench::OnednnCell::version()},
                        {"time_us_min", measured.baseline.min * 1e6},
                        {"time_us_median", measured.baseline.median * 1e6},
                        {"max_difference", contest.from_baseline.error}};
  result["ratio"] = measured.baseline.min / measured.ours.min;
  return result;
}

void print_table(const nlohmann::ordered_json& r) {
  const auto number = [&](const char* key) { return r.at(key).get<double>(); };
  const auto whole = [&](const char* key) { return r.at(key).get<long long>(); };
  std::printf("%s  steps %lld, batch %lld, input %lld, hidden %lld, layers %lld, directions %lld, threads %lld, %s\n",
              r.at("cell").get<std::string>().c_str(), whole("steps"), whole("batch"), whole("input_size"),
              whole("hidden_size"), whole("layers"), whole("directions"), whole("threads"),
              r.at("isa").get<std::string>().c_str());
  std::printf("  rnnc      %12.2f us  (median %.2f, %.3f a step, %.1f GFLOP/s)\n", number("time_us_min"),
              number("time_us_median"), number("per_step_us"), number("gflops"));
  if (r.contains("ragged"))
    std::printf("  ragged    %12.2f us  (lengths uniform from 1; %.2f of whole sequences)\n",
                r.at("ragged").at("time_us_min").get<double>(), r.at("ragged").at("of_whole").get<double>());
  if (r.contains("sessions"))
    std::printf(
        "  together  %12.2f us  (a step of %lld sessions; %.2f of as many single steps, which rnnc stands for)\n",
        r.at("sessions").at("time_us_min").get<double>(), r.at("sessions").at("count").get<long long>(),
        r.at("sessions").at("of_single_steps").get<double>());
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

Result<void> check_flags(const BenchFlags& flags, const Source& source) {
  const bool is_portable = flags.model.backend == "portable";
  if (const auto target = target_of(flags.model, true); !target && !is_portable) return target.error();
  if (is_portable && flags.tune) return usage_error("--tune", "is of generated code; leave out --backend portable");
  if (source.network && flags.tune) return usage_error("--tune", "is of one cell; name it with --cell");
  if (flags.sessions > 0 && (flags.steps != 1 || flags.batch != 1))
    return usage_error("--sessions", "times single steps: give --steps 1 --batch 1");
  if (flags.sessions > 0 && !flags.against.empty())
    return usage_error("--against", "does not go with --sessions; leave one of them out");
  return {};
}

Result<int> run(const BenchFlags& flags) {
  Result<Source> source = load_source(flags.model);
  if (!source) return source.error();
  if (const auto checked = check_flags(flags, *source); !checked) return checked.error();
  if (flags.threads == 1)
    stay_on_this_cpu();
  else
    use_all_cpus();
  const Result<Contest> contest =
      source->network ? contest_of_network(flags, std::move(*source)) : contest_of_cell(flags, std::move(*source));
  if (!contest) return contest.error();
  const Limits limits = load_limits();
  const Measured measured = measure(*contest, static_cast<int>(flags.rounds));
  const auto result = to_json(*contest, measured, contest->cpu, limits, flags);
  if (flags.json)
    std::cout << result.dump() << "\n" << std::flush;
  else
    print_table(result);
  const bool sound = agrees(contest->from_interpreter, "the interpreter");
  return agrees(contest->from_baseline, "oneDNN") && sound ? kOk : kMismatch;
}

}  // namespace

Verb add_bench(CLI::App& program) {
  CLI::App& app = add_verb(
      program, "bench",
      {"rnnc bench --cell lstm --steps 100 --batch 1 --input-size 64 --hidden-size 64 --against onednn",
       "rnnc bench --cell gru --steps 50 --batch 16 --input-size 32 --hidden-size 32 --layers 2 --threads 2",
       "rnnc bench lstm.rnn --weights lstm.safetensors --steps 20 --batch 4 --json"},
      "Times a cell or network on this machine: best and median call, and the limit that the machine itself sets.");
  auto flags = std::make_shared<BenchFlags>();
  add_model_flags(app, flags->model);
  add_stack_flags(app, flags->model);
  begin_group(app, kDataGroup);
  add_number(app, "--steps", flags->steps, 1, kMaxSize, "time steps")->required();
  add_number(app, "--batch", flags->batch, 1, kMaxSize, "sequences side by side")->required();
  add_number(app, "--input-size", flags->input_size, 1, kMaxSize, "dim I of the cell");
  add_number(app, "--hidden-size", flags->hidden_size, 1, kMaxSize, "dim H of the cell");
  add_number(app, "--threads", flags->threads, 1, kMaxThreads, "threads to run on (default 1)")->group(kMachineGroup);
  add_choice(app, "--against", flags->against, {"onednn"}, "a baseline to time in turns and to compare results with");
  add_number(app, "--rounds", flags->rounds, 3, 1000, "turns of each contestant (default 5)");
  add_number(app, "--seed", flags->seed, 0, std::int64_t{1} << 53, "of the random data (default 1)");
  add_plan_flag(app, flags->model);
  add_backend_flag(app, flags->model, {"jit", "portable"});
  app.add_flag("--tune", flags->tune, "first time the plausible plans, and keep the best in the cache folder");
  app.add_flag("--ragged", flags->ragged, "also time sequences of lengths that are uniform from 1 to --steps");
  add_number(app, "--sessions", flags->sessions, 1, 1 << 20,
             "time a step of so many streams, one by one and together; with --steps 1 --batch 1");
  app.add_flag("--json", flags->json, "print a JSON object as the last line, and no table")->group(kOutputGroup);
  return {&app, [flags] { return run(*flags); }};
}

}  // namespace rnnc::tools
