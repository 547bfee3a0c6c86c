// rnnc prune writes a model whose recurrent matrices have lost their smallest blocks, and tells what that does to its
// outputs.
#include <cmath>
#include <cstdio>
#include <memory>

#include <rnnc/tensor_files.hpp>

#include "tools/command_line.hpp"
#include "tools/compared_data.hpp"
#include "tools/drift.hpp"
#include "tools/exit_code.hpp"
#include "tools/given_weights.hpp"
#include "tools/load_model.hpp"
#include "tools/outputs.hpp"
#include "tools/progress.hpp"
#include "tools/prune_weights.hpp"
#include "tools/run_data.hpp"
#include "tools/verbs.hpp"
#include "tools/write_model.hpp"

namespace rnnc::tools {
namespace {

struct PruneFlags : ComparedData {
  ModelFlags model;
  std::string output, block = "16x4";
  double keep = 0.2;
  std::vector<std::string> only;
};

constexpr const char* kText = ".rnn";
constexpr const char* kWeights = ".safetensors";

// Returns the file of the weights, which is the output itself where only weights are written.
Result<std::string> weights_file(const PruneFlags& flags) {
  if (flags.output.ends_with(kText)) return weights_beside(flags.output).front();
  if (!flags.output.ends_with(kWeights))
    return usage_error("-o", "'" + flags.output +
                                 "' ends neither in .rnn, for text and weights, nor in .safetensors, "
                                 "for the weights of a text");
  if (flags.model.model.empty() || flags.model.model.ends_with(kText)) return flags.output;
  return usage_error("-o", flags.model.model + " is no text that new weights could belong to; name -o pruned.rnn");
}

Result<void> write(const PruneFlags& flags, const Source& source, const std::string& weights) {
  if (flags.output.ends_with(kText)) return write_model(flags.output, source.model, weights, source.weights);
  return save_safetensors(weights, source.weights);
}

Result<ir::NetworkBatch> batch_of(const PruneFlags& flags, const Steps& steps, const Interface& interface,
                                  const Source& source) {
  if (flags.inputs.empty())
    return random_batch(interface, steps, flags.batch, static_cast<std::uint64_t>(flags.seed), false);
  RunFlags given;
  given.model = flags.model;
  given.inputs = flags.inputs;
  given.layout = flags.layout;
  given.steps = flags.steps;
  Result<Job> job = read_job(given, interface, source.given);
  if (!job) return job.error();
  return std::move(job->batch);
}

Result<SequenceResult> results_of(const PruneFlags& flags, const Source& source, const Interface& interface,
                                  const ir::NetworkBatch& batch) {
  const Result<Program> program = compile(source, flags.model);
  if (!program) return about_weights(program.error(), source);
  return run_compiled(*program, interface, batch);
}

void print(const std::vector<PrunedMatrix>& matrices) {
  std::printf("%-24s %10s %10s %26s\n", "matrix", "blocks", "kept", "of the sum of squares kept");
  for (const PrunedMatrix& matrix : matrices)
    std::printf("%-24s %10lld %8.1f %% %24.1f %%\n", matrix.name.c_str(), static_cast<long long>(matrix.blocks),
                100 * static_cast<double>(matrix.kept) / static_cast<double>(matrix.blocks),
                matrix.squares > 0 ? 100 * matrix.squares_kept / matrix.squares : 100);
}

Pruning pruning_of(const PruneFlags& flags) {
  Pruning pruning;
  pruning.keep = flags.keep;
  pruning.only = flags.only;
  pruning.rows = flags.block == "8x4" ? 8 : 16;
  return pruning;
}

Result<int> run(const PruneFlags& flags) {
  if (const auto checked = check_files(flags); !checked) return checked.error();
  const Result<std::string> weights = weights_file(flags);
  if (!weights) return weights.error();
  std::vector<NamedFile> read = files_of(flags.model);
  for (const NamedFile& file : files_of("--input", flags.inputs)) read.push_back(file);
  if (const auto checked = check_outputs({{"-o", flags.output}}, read); !checked) return checked.error();
  if (*weights != flags.output)
    if (const auto checked = check_outputs({{"-o", *weights}}, read); !checked) return checked.error();
  Result<BoundSource> bound = load_with_weights(flags.model);
  if (!bound) return bound.error();
  auto& [source, network] = *bound;
  const Result<Steps> steps = random_steps(flags, network);
  if (!steps) return steps.error();
  const Interface interface = interface_of(network);
  const Result<ir::NetworkBatch> batch = batch_of(flags, *steps, interface, source);
  if (!batch) return batch.error();
  Progress progress("prune");
  progress.show(0, "running the model as it is");
  const Result<SequenceResult> before = results_of(flags, source, interface, *batch);
  if (!before) return before.error();
  const auto matrices = prune(network, source.weights, pruning_of(flags));
  if (!matrices) return matrices.error();
  progress.show(0.5, "running the pruned model");
  const Result<SequenceResult> after = results_of(flags, source, interface, *batch);
  if (!after) return after.error();
  if (const auto written = write(flags, source, *weights); !written) return written.error();
  progress.clear();
  print(*matrices);
  print(drift_of(*after, *before, network, interface, batch->sequences), "from all weights:");
  std::printf("to leave the zeros out: --weights-as w8 --sparse (or w8a16, w16)\n");
  return kOk;
}

std::string check_keep(const std::string& text) {
  char* end = nullptr;
  const double keep = std::strtod(text.c_str(), &end);
  const bool is_part = !text.empty() && *end == '\0' && keep > 0 && keep <= 1;
  return is_part ? "" : "'" + text + "' is no part above 0 and up to 1, as 0.2 is";
}

}  // namespace

Verb add_prune(CLI::App& program) {
  CLI::App& app = add_verb(
      program, "prune",
      {"rnnc prune lstm.rnn --weights lstm.safetensors --keep 0.2 -o pruned.safetensors",
       "rnnc prune model.onnx --keep 0.3 --input x.npy -o pruned.rnn"},
      "Writes a model that keeps the largest blocks of its recurrent matrices and has zeros elsewhere, and tells what"
      " this does to its outputs. Programs that are made with --weights-as w8 --sparse leave these blocks out. Accuracy"
      " comes back by training on from such weights, with the zeros held.");
  auto flags = std::make_shared<PruneFlags>();
  add_model_flags(app, flags->model);
  begin_group(app, kDataGroup);
  app.add_option("--keep", flags->keep, "the part of the blocks that stays (default 0.2)")
      ->check(CLI::Validator([](const std::string& text) { return check_keep(text); }, "", ""))
      ->type_name("PART");
  add_choice(app, "--block", flags->block, {"16x4", "8x4"},
             "rows and columns of a block: 16x4 fits vectors of 16 floats (AVX-512), 8x4 those of 8 (default 16x4)");
  app.add_option("--only", flags->only, "the matrices to prune (default: all that a step multiplies by a state)")
      ->delimiter(',')
      ->type_name("NAME,...");
  add_compared_data(app, *flags);
  begin_group(app, kOutputGroup);
  app.add_option("-o,--output", flags->output, "text with weights beside it, or the weights of a text alone")
      ->required()
      ->type_name("model.rnn|W.safetensors");
  return {&app, [flags] { return run(*flags); }};
}

}  // namespace rnnc::tools
