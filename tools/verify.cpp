// rnnc verify runs the compiled program and the interpreter, which shares none of its numerics, on random data and
// compares their results.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "runtime/number_format.hpp"
#include "tools/artifact.hpp"
#include "tools/command_line.hpp"
#include "tools/compared_data.hpp"
#include "tools/drift.hpp"
#include "tools/exit_code.hpp"
#include "tools/flags.hpp"
#include "tools/half_weights.hpp"
#include "tools/load_model.hpp"
#include "tools/progress.hpp"
#include "tools/random_data.hpp"
#include "tools/read_data.hpp"
#include "tools/rounding_errors.hpp"
#include "tools/run_data.hpp"
#include "tools/sequence.hpp"
#include "tools/verbs.hpp"

namespace rnnc::tools {
namespace {

// rnnc promises these limits, relative to max(1, |value|), where rounding to f32 does no more.
constexpr double kMostAfterOneStep = 1e-6;
constexpr double kMostAtTheEnd = 5e-6;
// This limit of AIDA-X's plug-ins is for an example that another program computed in f32, in an order of its own.
constexpr double kMostOfExample = 1e-5;

struct VerifyFlags : ComparedData {
  ModelFlags model;
  std::string expected;  // a file of y as another program computed it; "" for none
  std::string layout = "tbf";
  bool json = false;
};

struct Verdict {
  std::optional<Difference> first;     // after one step, of random sequences
  Difference whole;                    // over all of them
  std::optional<Difference> example;   // from the outputs in the file, where it has some
  std::optional<Difference> expected;  // from those of --expect
  std::optional<Drift> drift;          // of weights in another format
  std::string isa, backend, fallback;
  std::string other = "the interpreter";  // what the program is compared with

  static bool is_kept(const Difference& difference) { return difference.error <= difference.limit; }
  bool ok() const {
    const bool are_numbers = !drift || drift->are_numbers();
    const auto agrees = [](const std::optional<Difference>& difference) { return !difference || is_kept(*difference); };
    return agrees(first) && is_kept(whole) && agrees(example) && agrees(expected) && are_numbers;
  }
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
  return result;
}

// Compares y with what the user's file says.
Result<Difference> verify_expected(const SequenceResult& ours, const Interface& interface, const Job& job,
                                   const std::string& path) {
  Result<Tensor> expected = read_f32(path, "y");
  if (!expected) return expected.error();
  if (job.batch_first && expected->shape.size() == 3) expected = with_first_axes_swapped(*expected);
  const ir::Type& type = interface.output();
  Shape wanted = {job.batch.sequences, elements(type)};
  if (type.is_sequence()) wanted.insert(wanted.begin(), job.batch.times.at(type.axis).steps);
  if (expected->shape != wanted) return wrong_shape(path, "y", wanted, expected->shape);
  return compare(ours, {{expected->to_f32()}, {}}, interface, job.batch.sequences, {kMostOfExample});
}

// Runs the program and what it is compared with. Half precisions are compared with the interpreter on rounded weights.
// The results of integers are defined to the bit: generated code and the portable executor, which share no code for
// products, are compared with each other.
class Verifier {
 public:
  Verifier(const Source& source, const ir::Network& network, const VerifyFlags& flags, const Report& report)
      : source_(source),
        network_(network),
        flags_(flags),
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
    const auto random = [&](std::int64_t steps, bool ragged) {
      return random_batch(interface_, steps, flags_.batch, static_cast<std::uint64_t>(flags_.seed), ragged);
    };
    const Result<Difference> first = difference(random(1, false), kMostAfterOneStep);
    if (!first) return first.error();
    verdict_.first = *first;
    const Result<Difference> whole = difference(random(flags_.steps, source_.network.has_value()), kMostAtTheEnd);
    if (!whole) return whole.error();
    verdict_.whole = *whole;
    return {};
  }

  Result<void> compare_given() {
    const Result<Job> job = read_job(run_flags(flags_), interface_, source_.given);
    if (!job) return job.error();
    if (!flags_.expected.empty()) {
      const Result<SequenceResult> ours = run_compiled(*program_, interface_, job->batch);
      if (!ours) return ours.error();
      const Result<Difference> expected = verify_expected(*ours, interface_, *job, flags_.expected);
      if (!expected) return expected.error();
      verdict_.expected = *expected;
    }
    const Result<Difference> whole = difference(job->batch, kMostAtTheEnd);
    if (!whole) return whole.error();
    verdict_.whole = *whole;
    return {};
  }

  // The verifier finds out what rounding may do only if some value is beyond what is promised of all.
  Result<Difference> difference(const ir::NetworkBatch& batch, double promised) {
    const bool streams = program_->streams().ok();
    const Result<SequenceResult> ours = run_compiled(*program_, interface_, batch);
    if (!ours) return ours.error();
    if (format_ != WeightFormat::F32)
      verdict_.drift = drift_of(*ours, run_in_pieces(network_, source_.weights, batch, streams, report_), network_,
                                interface_, batch.sequences);
    if (other_) {
      const Result<SequenceResult> theirs = run_compiled(*other_, interface_, batch);
      if (!theirs) return theirs.error();
      return compare(*ours, *theirs, interface_, batch.sequences, {0});
    }
    const SequenceResult exact = run_in_pieces(network_, weights_, batch, streams, report_);
    const Difference most = compare(*ours, exact, interface_, batch.sequences, {promised});
    if (Verdict::is_kept(most)) return most;
    const SequenceResult rounding = rounding_errors(network_, weights_, batch, streams, exact, report_);
    return compare(*ours, exact, interface_, batch.sequences, {promised, &rounding});
  }

  const Source& source_;
  const ir::Network& network_;
  const VerifyFlags& flags_;
  const Report& report_;
  const WeightFormat format_;
  const Interface interface_;
  std::optional<Program> program_, other_;
  TensorMap weights_;
  Verdict verdict_;
};

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

void print_line(const std::string& when, const Difference& difference, double promised, const std::string& other) {
  if (difference.limit == 0 && difference.error == 0) {
    std::printf("%-18s same bits as %s\n", when.c_str(), other.c_str());
    return;
  }
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
  if (difference.limit > 0 && promised != kMostOfExample && (!kept || difference.limit > promised))
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
                           {"limit", verdict.whole.limit},
                           {"compared_with", verdict.other},
                           {"ok", verdict.ok()}};
  if (verdict.first) {
    result["max_error_one_step"] = verdict.first->error;
    result["where_one_step"] = verdict.first->where;
    result["limit_one_step"] = verdict.first->limit;
  }
  if (verdict.example) result["max_error_of_example"] = verdict.example->error;
  if (verdict.expected) {
    result["max_error_of_expected"] = verdict.expected->error;
    result["where_of_expected"] = verdict.expected->where;
  }
  if (verdict.drift) result["from_f32_weights"] = json_of(*verdict.drift);
  if (verdict.first && !Verdict::is_kept(*verdict.first))
    result["mismatch_one_step"] = json_of(*verdict.first, kMostAfterOneStep);
  if (!Verdict::is_kept(verdict.whole)) result["mismatch"] = json_of(verdict.whole, kMostAtTheEnd);
  std::cout << result.dump() << "\n";
}

void print(const Verdict& verdict, const Source& source, const std::string& name, const VerifyFlags& flags) {
  std::printf("%s %s on %s, ", std::string(source.graph().kind_name()).c_str(), name.c_str(), verdict.isa.c_str());
  if (flags.inputs.empty())
    std::printf("%lld steps, %lld sequences%s, seed %lld\n", static_cast<long long>(flags.steps),
                static_cast<long long>(flags.batch), source.network ? " of various lengths" : "",
                static_cast<long long>(flags.seed));
  else
    std::printf("given input\n");
  if (verdict.first) print_line("after one step:", *verdict.first, kMostAfterOneStep, verdict.other);
  print_line("over all steps:", verdict.whole, kMostAtTheEnd, verdict.other);
  if (verdict.example) print_line("the file's example:", *verdict.example, kMostOfExample, "the file says");
  if (verdict.expected) print_line("what is expected:", *verdict.expected, kMostOfExample, "the file says");
  if (verdict.drift) print(*verdict.drift, "from f32 weights:");
}

// An artifact has no text for the interpreter, so its results are compared with the user's.
Result<int> run_artifact(const VerifyFlags& flags) {
  if (flags.inputs.empty() || flags.expected.empty())
    return usage_error("MODEL",
                       "an artifact has code and no text to interpret; give --input x.npy and --expect y.npy, or name "
                       "the model that it was made of");
  const Result<Program> program = load_program(flags.model, 1);
  if (!program) return program.error();
  const Interface interface = interface_of(*program);
  const Result<Job> job = read_job(run_flags(flags), interface, {});
  if (!job) return job.error();
  const Result<SequenceResult> ours = run_compiled(*program, interface, job->batch);
  if (!ours) return ours.error();
  const Result<Difference> expected = verify_expected(*ours, interface, *job, flags.expected);
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
  if (!flags.expected.empty() && flags.inputs.empty())
    return usage_error("--expect", "is what --input gives; name the input too");
  if (is_artifact(flags.model.model)) return run_artifact(flags);
  Result<Source> source = load_source(flags.model);
  if (!source) return source.error();
  const Result<ir::Network> network = bind(*source);
  if (!network) return network.error();
  if (const auto checked = check_memory_of(flags, *network); !checked) return checked.error();
  if (const auto checked = check_memory(12 * parameter_bytes(*network), "the weights"); !checked)
    return checked.error();
  if (source->weights.empty()) source->weights = random_weights(*network, static_cast<std::uint64_t>(flags.seed));
  Progress progress("verify");
  const Report report = progress.report();
  const Result<Verdict> verdict = Verifier(*source, *network, flags, report).run();
  progress.clear();
  if (!verdict) return verdict.error();
  print(*verdict, *source, network->name, flags);
  std::fflush(stdout);
  if (flags.json) print_json(*verdict, network->name, flags);
  return verdict->ok() ? kOk : kMismatch;
}

}  // namespace

Verb add_verify(CLI::App& program) {
  CLI::App& app = add_verb(
      program, "verify",
      {"rnnc verify --cell lstm --dim I=64 --dim H=128 --steps 1000", "rnnc verify lstm.rnn --weights lstm.safetensors",
       "rnnc verify model.onnx --input x.npy --expect expected.npy", "rnnc verify model.onnx --backend portable",
       "rnnc verify model.onnx --weights-as w8 --input x.npy",
       "rnnc verify --cell gru --dim I=16 --dim H=32 --layers 2 --bidirectional --json"},
      "Compares a compiled cell or network with the interpreter on random sequences, and random weights where none are"
      " given; and with the example that a model's file has. With --weights-as, tells how far results are from"
      " those of f32 weights.");
  auto flags = std::make_shared<VerifyFlags>();
  add_stacked_model_flags(app, flags->model);
  begin_group(app, kDataGroup);
  add_compared_data(app, *flags);
  app.add_option("--expect", flags->expected,
                 "with --input: y as another program computed it in f32, f32[T,B,O] or f32[B,O], to compare with too")
      ->type_name("y.npy");
  add_choice(app, "--layout", flags->layout, {"tbf", "btf"},
             "how sequences lie in these files: [T,B,F], or [B,T,F] as of batch_first in PyTorch (default tbf)");
  add_backend_flag(app, flags->model, {"jit", "portable", "auto"});
  add_weights_as_flag(app, flags->model);
  begin_group(app, kOutputGroup);
  app.add_flag("--json", flags->json, "print a JSON object as the last line");
  return {&app, [flags] { return run(*flags); }};
}

}  // namespace rnnc::tools
