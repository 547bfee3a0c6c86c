// rnnc verify runs the compiled program and the interpreter, which shares none of its numerics, on random data and
// compares their results.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "runtime/number_format.hpp"
#include "tools/artifact.hpp"
#include "tools/command_line.hpp"
#include "tools/compared_data.hpp"
#include "tools/exit_code.hpp"
#include "tools/expected.hpp"
#include "tools/flags.hpp"
#include "tools/half_weights.hpp"
#include "tools/load_model.hpp"
#include "tools/progress.hpp"
#include "tools/random_data.hpp"
#include "tools/rounding_errors.hpp"
#include "tools/run_data.hpp"
#include "tools/sequence.hpp"
#include "tools/verbs.hpp"
#include "tools/verify_report.hpp"

namespace rnnc::tools {
namespace {

struct VerifyFlags : ComparedData {
  ModelFlags model;
  std::vector<std::string> expected, expected_states;  // files of results as another program computed them
  std::vector<std::string> lengths, states;
  bool json = false;
};

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

RunFlags run_flags(const VerifyFlags& flags) {
  RunFlags result;
  result.model = flags.model;
  result.inputs = flags.inputs;
  result.layout = flags.layout;
  result.lengths = flags.lengths;
  result.steps = flags.steps;
  result.states = flags.states;
  result.outputs = flags.expected;
  result.final_states = flags.expected_states;
  result.expects = true;
  return result;
}

bool expects_any(const Job& job) {
  return !(job.outputs.empty() && job.final_states.empty() && job.graph_finals.empty());
}

// Runs the program and what it is compared with. Half precisions are compared with the interpreter on rounded weights.
// The results of integers are defined to the bit: generated code and the portable executor, which share no code for
// products, are compared with each other.
class Verifier {
 public:
  Verifier(const Source& source, const ir::Network& network, const VerifyFlags& flags, const Steps& steps,
           const Report& report)
      : source_(source),
        network_(network),
        flags_(flags),
        steps_(steps),
        report_(report),
        format_(weight_format(flags.model)),
        interface_(interface_of(network)) {}

  Result<Verdict> run() {
    report_(0, "compiling");
    if (const Result<void> made = make(); !made) return made.error();
    verdict_.isa = program_->cpu();
    verdict_.backend = name_of(program_->backend());
    verdict_.fallback = program_->fallback();
    if (const Result<void> compared = flags_.inputs.empty() ? compare_random() : compare_given(); !compared)
      return compared.error();
    // Another program made the example, with weights of f32.
    const bool has_example = !flags_.model.stack.any() && format_ == WeightFormat::F32 && flags_.inputs.empty();
    auto example = verify_example(*program_, interface_, has_example ? source_.given.example : TensorMap());
    if (!example) return example.error();
    verdict_.example = std::move(*example);
    return std::move(verdict_);
  }

 private:
  Result<void> make() {
    Result<Program> program = compile(source_, flags_.model);
    if (!program) return program.error();
    program_ = std::move(*program);
    Result<TensorMap> weights = rounded_weights(network_, source_.weights, format_);
    if (!weights) return weights.error();
    weights_ = std::move(*weights);
    if (!runtime::is_integer(format_)) return {};
    ModelFlags other = flags_.model;
    other.backend = program_->backend() == Backend::Portable ? "auto" : "portable";
    if (other.backend == "portable") other.isa = other.plan = "";
    Result<Program> second = compile(source_, other);
    if (!second) return second.error();
    other_ = std::move(*second);
    verdict_.other = other_->backend() == Backend::Portable ? "the portable executor" : "generated code";
    return {};
  }

  // Compares one step and all steps; a network is compared at various lengths.
  Result<void> compare_random() {
    const auto random = [&](const auto& steps, bool ragged) {
      return random_batch(interface_, steps, flags_.batch, static_cast<std::uint64_t>(flags_.seed), ragged);
    };
    const Result<Difference> first = difference(random(std::int64_t{1}, false), kMostAfterOneStep);
    if (!first) return first.error();
    verdict_.first = *first;
    const Result<Difference> whole = difference(random(steps_, source_.network.has_value()), kMostAtTheEnd);
    if (!whole) return whole.error();
    verdict_.whole = *whole;
    verdict_.steps = steps_;
    verdict_.batch = flags_.batch;
    verdict_.seed = flags_.seed;
    return {};
  }

  Result<void> compare_given() {
    const Result<Job> job = read_job(run_flags(flags_), interface_, source_.given);
    if (!job) return job.error();
    for (const auto& [name, time] : job->batch.times) verdict_.steps[name] = time.steps;
    verdict_.batch = job->batch.sequences;
    if (expects_any(*job)) {
      const Result<SequenceResult> ours = run_compiled(*program_, interface_, job->batch, job->states);
      if (!ours) return ours.error();
      const Result<Difference> expected = compare_with_files(*ours, interface_, *job, kMostOfExample);
      if (!expected) return expected.error();
      verdict_.expected = *expected;
      // The other program computed with f32 weights, from which rounded ones may lead anywhere.
      if (format_ != WeightFormat::F32) verdict_.expected->limit = std::numeric_limits<double>::infinity();
    }
    const Result<Difference> whole = difference(job->batch, kMostAtTheEnd, job->states);
    if (!whole) return whole.error();
    verdict_.whole = *whole;
    return {};
  }

  // The verifier finds out what rounding may do only if some value is beyond what is promised of all.
  Result<Difference> difference(const ir::NetworkBatch& batch, double promised, const ir::NamedVectors& states = {}) {
    const bool streams = program_->streams().ok();
    const Result<SequenceResult> ours = run_compiled(*program_, interface_, batch, states);
    if (!ours) return ours.error();
    if (format_ != WeightFormat::F32)
      verdict_.drift = drift_of(*ours, run_in_pieces(network_, source_.weights, batch, states, streams, report_),
                                network_, interface_, batch.sequences);
    if (other_) {
      const Result<SequenceResult> theirs = run_compiled(*other_, interface_, batch, states);
      if (!theirs) return theirs.error();
      return compare(*ours, *theirs, interface_, batch.sequences, {0});
    }
    const SequenceResult exact = run_in_pieces(network_, weights_, batch, states, streams, report_);
    const Difference most = compare(*ours, exact, interface_, batch.sequences, {promised});
    if (Verdict::is_kept(most)) return most;
    const SequenceResult rounding = rounding_errors(network_, weights_, batch, states, streams, exact, report_);
    return compare(*ours, exact, interface_, batch.sequences, {promised, &rounding});
  }

  const Source& source_;
  const ir::Network& network_;
  const VerifyFlags& flags_;
  const Steps& steps_;  // of random sequences
  const Report& report_;
  const WeightFormat format_;
  const Interface interface_;
  std::optional<Program> program_, other_;
  TensorMap weights_;
  Verdict verdict_;
};

void print_head(const Verdict& verdict, const Source& source, const std::string& name) {
  std::printf("%s %s on %s, ", std::string(source.graph().kind_name()).c_str(), name.c_str(), verdict.isa.c_str());
  if (!verdict.seed) {
    std::printf("given input\n");
    return;
  }
  std::printf("%s, %lld sequences%s, seed %lld\n", steps_text(verdict.steps).c_str(),
              static_cast<long long>(verdict.batch), source.network ? " of various lengths" : "",
              static_cast<long long>(*verdict.seed));
}

// An artifact has no text for the interpreter, so its results are compared with the user's.
Result<int> run_artifact(const VerifyFlags& flags) {
  if (flags.inputs.empty() || (flags.expected.empty() && flags.expected_states.empty()))
    return usage_error("MODEL",
                       "an artifact has code and no text to interpret; give --input x.npy and --expect y.npy, or name "
                       "the model that it was made of");
  const Result<Program> program = load_program(flags.model, 1);
  if (!program) return program.error();
  const Interface interface = interface_of(*program);
  const Result<Job> job = read_job(run_flags(flags), interface, {});
  if (!job) return job.error();
  const Result<SequenceResult> ours = run_compiled(*program, interface, job->batch, job->states);
  if (!ours) return ours.error();
  const Result<Difference> expected = compare_with_files(*ours, interface, *job, kMostOfExample);
  if (!expected) return expected.error();
  std::printf("artifact of %s on %s, given input\n", interface.name.c_str(), program->cpu().c_str());
  print_line("what is expected:", *expected, kMostOfExample, "the file says");
  std::fflush(stdout);
  const bool ok = Verdict::is_kept(*expected);
  if (flags.json)
    std::cout << nlohmann::json{{"cell", interface.name},
                                {"isa", program->cpu()},
                                {"max_error_of_expected", expected->error},
                                {"where_of_expected", expected->where},
                                {"ok", ok}}
                     .dump()
              << "\n";
  return ok ? kOk : kMismatch;
}

Result<int> run(const VerifyFlags& flags) {
  const std::tuple<const char*, const std::vector<std::string>&, const char*> of_input[] = {
      {"--expect", flags.expected, "is what --input gives"},
      {"--expect-state", flags.expected_states, "is what --input ends in"},
      {"--state", flags.states, "is what --input begins with"},
      {"--lengths", flags.lengths, "are of --input"}};
  for (const auto& [flag, given, what] : of_input)
    if (!given.empty() && flags.inputs.empty()) return usage_error(flag, std::string(what) + "; name the input too");
  if (const auto checked = check_files(flags); !checked) return checked.error();
  if (is_artifact(flags.model.model)) return run_artifact(flags);
  Result<Source> source = load_source(flags.model, flags.states);
  if (!source) return source.error();
  const Result<ir::Network> network = bind(*source);
  if (!network) return network.error();
  const Result<Steps> steps = random_steps(flags, *network);
  if (!steps) return steps.error();
  if (const auto checked = check_memory(12 * parameter_bytes(*network), "the weights"); !checked)
    return checked.error();
  if (source->weights.empty()) source->weights = random_weights(*network, static_cast<std::uint64_t>(flags.seed));
  Progress progress("verify");
  const Report report = progress.report();
  const Result<Verdict> verdict = Verifier(*source, *network, flags, *steps, report).run();
  progress.clear();
  if (!verdict) return verdict.error();
  print_head(*verdict, *source, network->name);
  print(*verdict);
  std::fflush(stdout);
  if (flags.json) {
    nlohmann::json result = json_of(*verdict);
    result["cell"] = network->name;
    std::cout << result.dump() << "\n";
  }
  return verdict->ok() ? kOk : kMismatch;
}

}  // namespace

Verb add_verify(CLI::App& program) {
  CLI::App& app = add_verb(
      program, "verify",
      {"rnnc verify --cell lstm --dim I=64 --dim H=128 --steps 1000", "rnnc verify lstm.rnn --weights lstm.safetensors",
       "rnnc verify model.onnx --input x.npy --expect expected.npy",
       "rnnc verify lstm.rnn --input x.npy --state h=h.npy --expect want.npy --expect-state c=ch.npy",
       "rnnc verify pair.rnn --steps 100 --steps S=20", "rnnc verify model.onnx --backend portable",
       "rnnc verify model.onnx --weights-as w8 --input x.npy",
       "rnnc verify --cell gru --dim I=16 --dim H=32 --layers 2 --bidirectional --json"},
      "Compares a compiled cell or network with the interpreter on random sequences, and random weights where none are"
      " given; and with the example that a model's file has. With --weights-as, tells how far results are from"
      " those of f32 weights.");
  auto flags = std::make_shared<VerifyFlags>();
  add_stacked_model_flags(app, flags->model);
  begin_group(app, kDataGroup);
  add_compared_data(app, *flags);
  add_list(app, "--expect", flags->expected,
           "with --input: y as another program computed it in f32, f32[T,B,O] or f32[B,O], to compare with too; of a "
           "network with several outputs, NAME=e.npy for another")
      ->type_name("y.npy");
  add_list(app, "--lengths", flags->lengths, "with --input: int32[B], as of rnnc run")->type_name("n.npy");
  add_list(app, "--state", flags->states, "with --input: an initial state, f32[B,H], as of rnnc run")
      ->type_name("NAME=s.npy");
  add_list(app, "--expect-state", flags->expected_states,
           "with --input: a final state as another program computed it, f32[B,H], as of --final-state of rnnc run")
      ->type_name("NAME=f.npy");
  add_backend_flag(app, flags->model, {"jit", "portable", "auto"});
  add_weights_as_flag(app, flags->model);
  begin_group(app, kOutputGroup);
  app.add_flag("--json", flags->json, "print a JSON object as the last line");
  return {&app, [flags] { return run(*flags); }};
}

}  // namespace rnnc::tools
