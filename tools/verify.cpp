// rnnc verify runs the compiled program and the interpreter, which shares none of its numerics, on random data and
// compares their results.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "tools/command_line.hpp"
#include "tools/exit_code.hpp"
#include "tools/flags.hpp"
#include "tools/load_model.hpp"
#include "tools/progress.hpp"
#include "tools/random_data.hpp"
#include "tools/sequence.hpp"
#include "tools/verbs.hpp"

namespace rnnc::tools {
namespace {

// rnnc promises these limits, relative to max(1, |value|), for sums whose own rounding in f32 is less.
constexpr double kMostAfterOneStep = 1e-6;
constexpr double kMostAtTheEnd = 5e-6;

// A sum of products that is rounded once to f32 may lie so far from its true value: 2^-24 of the largest sum of
// |weights| of a row, since the random inputs lie in [-1, 1] as most states do. No f32 program does better with large
// weights.
double rounding_of_sums(const TensorMap& weights) {
  double largest = 0;
  for (const auto& [name, tensor] : weights) {
    if (tensor.shape.size() != 2 || tensor.shape[1] < 1) continue;
    const std::vector<float> values = tensor.to_f32();
    for (auto row = values.begin(); row != values.end(); row += tensor.shape[1]) {
      double sum = 0;
      for (std::int64_t k = 0; k < tensor.shape[1]; ++k) sum += std::fabs(static_cast<double>(row[k]));
      largest = std::max(largest, sum);
    }
  }
  return std::isfinite(largest) ? std::ldexp(largest, -24) : 0;
}

struct VerifyFlags {
  ModelFlags model;
  std::int64_t steps = 100, batch = 3, seed = 1;
  bool json = false;
};

struct Verdict {
  Difference first, whole;  // after one step, and over all of them
  std::string isa, backend, fallback;
  double most_first = kMostAfterOneStep, most_whole = kMostAtTheEnd;

  Verdict(Difference after_one, Difference after_all, const Program& program, const TensorMap& weights)
      : first(std::move(after_one)),
        whole(std::move(after_all)),
        isa(program.cpu()),
        backend(name_of(program.backend())),
        fallback(program.fallback()) {
    const double rounding = rounding_of_sums(weights);
    most_first = std::max(most_first, rounding);
    most_whole = std::max(most_whole, kMostAtTheEnd / kMostAfterOneStep * rounding);
  }
  bool ok() const { return first.error <= most_first && whole.error <= most_whole; }
};

// Compares one step and all steps; a network is compared at various lengths.
Result<Verdict> verify(const Source& source, const ir::Network& network, const VerifyFlags& flags,
                       const Report& report) {
  report(0, "compiling");
  const Result<Program> program = compile(source, flags.model);
  if (!program) return program.error();
  const Interface interface = interface_of(network);
  const bool streams = program->streams().ok();
  const auto difference = [&](std::int64_t steps, bool ragged) -> Result<Difference> {
    const ir::NetworkBatch batch =
        random_batch(interface, steps, flags.batch, static_cast<std::uint64_t>(flags.seed), ragged);
    const Result<SequenceResult> ours = run_compiled(*program, interface, batch);
    if (!ours) return ours.error();
    return compare(*ours, run_in_pieces(network, source.weights, batch, streams, report), interface, flags.batch);
  };
  const Result<Difference> first = difference(1, false);
  if (!first) return first.error();
  const Result<Difference> whole = difference(flags.steps, source.network.has_value());
  if (!whole) return whole.error();
  return Verdict(*first, *whole, *program, source.weights);
}

void print_line(const std::string& when, const Difference& difference, double most) {
  std::printf("%-18s max error %.3g%s%s  (limit %.2g)%s\n", when.c_str(), difference.error,
              difference.where.empty() ? "" : " at ", difference.where.c_str(), most,
              difference.error <= most ? "" : "  MISMATCH");
}

void print_json(const Verdict& verdict, const std::string& cell, const VerifyFlags& flags) {
  const nlohmann::json result = {{"cell", cell},
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
                                 {"limit_one_step", verdict.most_first},
                                 {"limit", verdict.most_whole},
                                 {"ok", verdict.ok()}};
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
  print_line("after one step:", verdict->first, verdict->most_first);
  print_line("over all steps:", verdict->whole, verdict->most_whole);
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
      " given.");
  auto flags = std::make_shared<VerifyFlags>();
  add_stacked_model_flags(app, flags->model);
  begin_group(app, kDataGroup);
  add_number(app, "--steps", flags->steps, 1, kMaxSize, "time steps (default 100)");
  add_number(app, "--batch", flags->batch, 1, kMaxSize, "sequences (default 3)");
  add_number(app, "--seed", flags->seed, 0, std::int64_t{1} << 53, "of the random data (default 1)");
  add_backend_flag(app, flags->model, {"jit", "portable", "auto"});
  begin_group(app, kOutputGroup);
  app.add_flag("--json", flags->json, "print a JSON object as the last line");
  return {&app, [flags] { return run(*flags); }};
}

}  // namespace rnnc::tools
