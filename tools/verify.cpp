// rnnc verify runs the compiled program and the interpreter, which shares none of its numerics, on random data and
// compares their results.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "tools/command_line.hpp"
#include "tools/exit_code.hpp"
#include "tools/flags.hpp"
#include "tools/half_weights.hpp"
#include "tools/load_model.hpp"
#include "tools/progress.hpp"
#include "tools/random_data.hpp"
#include "tools/rounding_errors.hpp"
#include "tools/sequence.hpp"
#include "tools/verbs.hpp"

namespace rnnc::tools {
namespace {

// rnnc promises these limits, relative to max(1, |value|), where rounding to f32 does no more.
constexpr double kMostAfterOneStep = 1e-6;
constexpr double kMostAtTheEnd = 5e-6;
// This limit of AIDA-X's plug-ins is for an example that another program computed in f32, in an order of its own.
constexpr double kMostOfExample = 1e-5;

struct VerifyFlags {
  ModelFlags model;
  std::int64_t steps = 100, batch = 3, seed = 1;
  bool json = false;
};

// How far results are from those of f32 weights, over all steps.
struct Drift {
  Difference largest;
  double mean = 0;  // |difference| of an element of y
};

struct Verdict {
  Difference first, whole;            // after one step, and over all of them
  std::optional<Difference> example;  // from the outputs in the file, where it has some
  std::optional<Drift> drift;         // of weights in another format
  std::string isa, backend, fallback;

  static bool is_kept(const Difference& difference) { return difference.error <= difference.limit; }
  bool ok() const { return is_kept(first) && is_kept(whole) && (!example || is_kept(*example)); }
};

Drift drift_of(const SequenceResult& ours, const SequenceResult& exact, const Interface& interface,
               std::int64_t batch) {
  Drift drift{compare(ours, exact, interface, batch), 0};
  const std::vector<float>&y = ours.outputs.front(), &other = exact.outputs.front();
  for (std::size_t i = 0; i < y.size(); ++i) drift.mean += std::fabs(y[i] - other[i]) / static_cast<double>(y.size());
  return drift;
}

// Runs the example in the model's file from states of a new sequence.
Result<std::optional<Difference>> verify_example(const Program& program, const Interface& interface,
                                                 const TensorMap& example) {
  if (example.empty() || interface.inputs.size() != 1) return std::optional<Difference>();
  const Tensor &x = example.at("x"), &y = example.at("y");
  const std::vector<float> rows = x.to_f32();
  ir::NetworkBatch batch{x.shape[1], {}, {}};
  for (const std::string& time : interface.times) batch.times[time].steps = x.shape[0];
  batch.inputs[interface.inputs.front().name] = {rows.begin(), rows.end()};
  const Result<SequenceResult> ours = run_compiled(program, interface, batch);
  if (!ours) return ours.error();
  return std::optional(compare(*ours, {{y.to_f32()}, {}}, interface, x.shape[1], {kMostOfExample}));
}

// Compares one step and all steps; a network is compared at various lengths. What rounding may do is found out only
// where what is promised of every value does not hold of some.
Result<Verdict> verify(const Source& source, const ir::Network& network, const VerifyFlags& flags,
                       const Report& report) {
  report(0, "compiling");
  const Result<Program> program = compile(source, flags.model);
  if (!program) return program.error();
  const Interface interface = interface_of(network);
  const Result<TensorMap> weights = rounded_weights(network, source.weights, weight_format(flags.model));
  if (!weights) return weights.error();
  const bool streams = program->streams().ok(), is_f32 = weight_format(flags.model) == WeightFormat::F32;
  std::optional<Drift> drift;
  const auto difference = [&](std::int64_t steps, bool ragged, double promised) -> Result<Difference> {
    const ir::NetworkBatch batch =
        random_batch(interface, steps, flags.batch, static_cast<std::uint64_t>(flags.seed), ragged);
    const Result<SequenceResult> ours = run_compiled(*program, interface, batch);
    if (!ours) return ours.error();
    const SequenceResult exact = run_in_pieces(network, *weights, batch, streams, report);
    if (!is_f32)
      drift = drift_of(*ours, run_in_pieces(network, source.weights, batch, streams, report), interface, flags.batch);
    const Difference most = compare(*ours, exact, interface, flags.batch, {promised});
    if (Verdict::is_kept(most)) return most;
    const SequenceResult rounding = rounding_errors(network, *weights, batch, streams, exact, report);
    return compare(*ours, exact, interface, flags.batch, {promised, &rounding});
  };
  const Result<Difference> first = difference(1, false, kMostAfterOneStep);
  if (!first) return first.error();
  const Result<Difference> whole = difference(flags.steps, source.network.has_value(), kMostAtTheEnd);
  if (!whole) return whole.error();
  // Another program made the example, with weights of f32.
  const auto example =
      verify_example(*program, interface, flags.model.stack.any() || !is_f32 ? TensorMap() : source.given.example);
  if (!example) return example.error();
  return Verdict{*first, *whole, *example, drift, program->cpu(), name_of(program->backend()), program->fallback()};
}

std::string number(double value, const char* form = "%.3g") {
  char text[40];
  std::snprintf(text, sizeof text, form, value);
  return text;
}

// Says why the limit at the place of the difference is what it is.
std::string reason(const Difference& difference, double promised) {
  const std::string most = number(promised) + " of max(1, |value|)";
  if (difference.rounding <= promised)
    return "the limit is the " + most + " that is promised; rounding every operation to f32 explains at most " +
           number(difference.rounding) + " here";
  if (std::isinf(difference.rounding))
    return "values that this one depends on may leave the range of f32, which ends at 3.4e38; no limit is above " +
           number(kMostRounding);
  const std::string rounding =
      "rounding every operation to f32 may move this value by " + number(difference.rounding) + " of max(1, |value|)";
  if (difference.rounding <= kMostRounding)
    return "the limit is above the " + most + " that is promised, since " + rounding;
  return rounding + ", so that f32 tells hardly a digit of it; no limit is above " + number(kMostRounding);
}

void print_line(const std::string& when, const Difference& difference, double promised,
                const std::string& other = "the interpreter") {
  const bool kept = Verdict::is_kept(difference);
  std::printf("%-18s max error %.3g%s%s  (limit %.2g)%s\n", when.c_str(), difference.error,
              difference.where.empty() ? "" : " at ", difference.where.c_str(), difference.limit,
              kept ? "" : "  MISMATCH");
  if (!kept)
    std::printf(
        "  %s%s, sequence %lld, element %lld: the program gives %.9g, %s %.9g; they differ by "
        "%.3g, and %.3g is allowed\n",
        difference.what.c_str(), difference.step < 0 ? "" : (" of step " + std::to_string(difference.step)).c_str(),
        static_cast<long long>(difference.sequence), static_cast<long long>(difference.element), difference.a,
        other.c_str(), difference.b, std::fabs(difference.a - difference.b),
        difference.limit * std::max(1.0, std::fabs(difference.b)));
  if (promised != kMostOfExample && (!kept || difference.limit > promised))
    std::printf("  %s\n", reason(difference, promised).c_str());
}

nlohmann::json json_of(const Difference& difference, double promised) {
  return {{"what", difference.what},
          {"step", difference.step},
          {"sequence", difference.sequence},
          {"element", difference.element},
          {"program", difference.a},
          {"interpreter", difference.b},
          {"rounding", difference.rounding},
          {"limit", difference.limit},
          {"error", difference.error},
          {"promised", promised},
          {"reason", reason(difference, promised)}};
}

void print_json(const Verdict& verdict, const std::string& cell, const VerifyFlags& flags) {
  nlohmann::json result = {{"cell", cell},
                           {"isa", verdict.isa},
                           {"backend", verdict.backend},
                           {"fallback", verdict.fallback},
                           {"steps", flags.steps},
                           {"batch", flags.batch},
                           {"seed", flags.seed},
                           {"max_error", verdict.whole.error},
                           {"where", verdict.whole.where},
                           {"max_error_one_step", verdict.first.error},
                           {"where_one_step", verdict.first.where},
                           {"limit_one_step", verdict.first.limit},
                           {"limit", verdict.whole.limit},
                           {"ok", verdict.ok()}};
  if (verdict.example) result["max_error_of_example"] = verdict.example->error;
  if (verdict.drift)
    result["from_f32_weights"] = {{"max_error", verdict.drift->largest.error},
                                  {"where", verdict.drift->largest.where},
                                  {"mean_error_of_y", verdict.drift->mean}};
  if (!Verdict::is_kept(verdict.first)) result["mismatch_one_step"] = json_of(verdict.first, kMostAfterOneStep);
  if (!Verdict::is_kept(verdict.whole)) result["mismatch"] = json_of(verdict.whole, kMostAtTheEnd);
  std::cout << result.dump() << "\n";
}

// Estimates the sequences as twice the interpreter's values, which leaves room for the floats of the program.
double sequence_bytes(const ir::Network& network, const VerifyFlags& flags) {
  return 2 * value_bytes(network, random_batch(interface_of(network), 1, 1, 1, false)) *
         static_cast<double>(flags.steps) * static_cast<double>(flags.batch);
}

Result<int> run(const VerifyFlags& flags) {
  Result<Source> source = load_source(flags.model);
  if (!source) return source.error();
  const Result<ir::Network> network = bind(*source);
  if (!network) return network.error();
  if (const auto checked = check_memory(sequence_bytes(*network, flags), "the sequences"); !checked)
    return checked.error();
  if (const auto checked = check_memory(12 * parameter_bytes(*network), "the weights"); !checked)
    return checked.error();
  if (source->weights.empty()) source->weights = random_weights(*network, static_cast<std::uint64_t>(flags.seed));
  Progress progress("verify");
  const Result<Verdict> verdict = verify(*source, *network, flags, progress.report());
  progress.clear();
  if (!verdict) return verdict.error();
  std::printf("%s %s on %s, %lld steps, %lld sequences%s, seed %lld\n",
              std::string(source->graph().kind_name()).c_str(), network->name.c_str(), verdict->isa.c_str(),
              static_cast<long long>(flags.steps), static_cast<long long>(flags.batch),
              source->network ? " of various lengths" : "", static_cast<long long>(flags.seed));
  print_line("after one step:", verdict->first, kMostAfterOneStep);
  print_line("over all steps:", verdict->whole, kMostAtTheEnd);
  if (verdict->example) print_line("the file's example:", *verdict->example, kMostOfExample, "the file says");
  if (verdict->drift)
    std::printf("%-18s max error %.3g at %s, mean of y %.3g\n", "from f32 weights:", verdict->drift->largest.error,
                verdict->drift->largest.where.c_str(), verdict->drift->mean);
  std::fflush(stdout);
  if (flags.json) print_json(*verdict, network->name, flags);
  return verdict->ok() ? kOk : kMismatch;
}

}  // namespace

Verb add_verify(CLI::App& program) {
  CLI::App& app = add_verb(
      program, "verify",
      {"rnnc verify --cell lstm --dim I=64 --dim H=128 --steps 1000", "rnnc verify lstm.rnn --weights lstm.safetensors",
       "rnnc verify model.onnx --backend portable",
       "rnnc verify --cell gru --dim I=16 --dim H=32 --layers 2 --bidirectional --json"},
      "Compares a compiled cell or network with the interpreter on random sequences, and random weights where none are"
      " given; and with the example that a model's file has.");
  auto flags = std::make_shared<VerifyFlags>();
  add_stacked_model_flags(app, flags->model);
  begin_group(app, kDataGroup);
  add_number(app, "--steps", flags->steps, 1, kMaxSize, "time steps (default 100)");
  add_number(app, "--batch", flags->batch, 1, kMaxSize, "sequences (default 3)");
  add_number(app, "--seed", flags->seed, 0, std::int64_t{1} << 53, "of the random data (default 1)");
  add_backend_flag(app, flags->model, {"jit", "portable", "auto"});
  add_weights_as_flag(app, flags->model);
  begin_group(app, kOutputGroup);
  app.add_flag("--json", flags->json, "print a JSON object as the last line");
  return {&app, [flags] { return run(*flags); }};
}

}  // namespace rnnc::tools
