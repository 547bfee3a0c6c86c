// rnnc import turns a model of another program into text, with weights under rnnc's names.
#include <filesystem>
#include <iostream>
#include <memory>

#include <rnnc/import.hpp>
#include <rnnc/join.hpp>

#include "tools/command_line.hpp"
#include "tools/exit_code.hpp"
#include "tools/load_model.hpp"
#include "tools/outputs.hpp"
#include "tools/progress.hpp"
#include "tools/verbs.hpp"
#include "tools/write_model.hpp"

namespace rnnc::tools {
namespace {

struct ImportFlags {
  std::string model, output, weights;
  PartFlags part;
};

Result<int> run(const ImportFlags& flags) {
  if (!flags.output.ends_with(".rnn"))
    return usage_error("-o", "'" + flags.output + "' does not end in .rnn, as texts of models do");
  const std::vector<std::string> beside = weights_beside(flags.output);
  std::error_code ignored;
  const bool is_taken = std::filesystem::equivalent(beside.front(), flags.model, ignored);
  const std::string weights = !flags.weights.empty() ? flags.weights : is_taken ? beside.back() : beside.front();
  const auto checked = check_outputs({{"-o", flags.output}, {"--weights", weights}}, {{"MODEL", flags.model}});
  if (!checked) return checked.error();
  Progress progress("import");
  progress.show(0, "reading " + flags.model);
  const Result<Imported> imported = import_part(flags.model, flags.part);
  if (!imported) return imported.error();
  progress.show(0.5, "writing " + weights);
  if (const auto written = write_model(flags.output, imported->model, weights, imported->weights); !written)
    return written.error();
  progress.clear();
  std::cout << flags.output << ": "
            << join(imported->model.networks().empty() ? imported->model.cells() : imported->model.networks()) << "\n"
            << weights << ": " << imported->weights.size() << " tensors\n";
  return kOk;
}

}  // namespace

Verb add_import(CLI::App& program) {
  CLI::App& app = add_verb(
      program, "import",
      {"rnnc import encoder.safetensors -o encoder.rnn", "rnnc import model.onnx -o model.rnn",
       "rnnc import tagger.safetensors --prefix lstm,fc -o tagger.rnn"},
      "Writes a model of PyTorch (a state_dict in safetensors, .npz or JSON), ONNX, Keras, TensorFlow Lite, RTNeural, "
      "GuitarML, NAM or RNNoise as text and weights.");
  auto flags = std::make_shared<ImportFlags>();
  takes_standard_input(app.add_option("MODEL", flags->model, "a file of one of these formats; - is standard input"))
      ->required()
      ->type_name("FILE");
  begin_group(app, kOutputGroup);
  app.add_option("-o,--output", flags->output, "the text")->required()->type_name("model.rnn");
  app.add_option("--weights", flags->weights,
                 "the weights (default: beside the text, model.safetensors, or model_weights.safetensors where MODEL "
                 "has that name)")
      ->type_name("W.safetensors");
  begin_group(app, kModelGroup);
  add_part_flags(app, flags->part);
  return {&app, [flags] { return run(*flags); }};
}

}  // namespace rnnc::tools
