// rnnc calibrate runs a model in f32 on sequences of the user's, and writes the ranges of the vectors that its matrices
// multiply: with them, weights of integers need no scale that is found in each step.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <set>

#include <rnnc/join.hpp>
#include <rnnc/ranges.hpp>

#include "compiler/network/named_values.hpp"
#include "compiler/network/network.hpp"
#include "compiler/passes/ranges.hpp"
#include "import/write_file.hpp"
#include "runtime/number_format.hpp"
#include "tools/command_line.hpp"
#include "tools/exit_code.hpp"
#include "tools/outputs.hpp"
#include "tools/run_data.hpp"
#include "tools/verbs.hpp"

namespace rnnc::tools {
namespace {

struct CalibrateFlags {
  RunFlags data;  // several inputs of one name are of one run each
  std::string output;
  double margin = 1.25;
};

// The texts of one flag, by the name before their `=`. A text has a name where that is one of `known`.
std::map<std::string, std::vector<std::string>> by_name(const std::vector<std::string>& texts,
                                                        const std::set<std::string>& known) {
  std::map<std::string, std::vector<std::string>> result;
  for (const std::string& text : texts) {
    const std::string name = text.substr(0, text.find('='));
    result[known.contains(name) && name != text ? name : ""].push_back(text);
  }
  return result;
}

// Divides what the flags say among runs: the first run takes the first text of each name, and so on. What is given once
// is of all runs.
Result<std::vector<RunFlags>> runs_of(const RunFlags& flags, const Interface& interface) {
  std::set<std::string> inputs, states;
  for (const NamedType& input : interface.inputs) inputs.insert(input.name);
  for (const NamedSize& state : interface.states) states.insert(state.name);
  const auto by_input = by_name(flags.inputs, inputs);
  std::size_t count = 1;
  for (const auto& [name, texts] : by_input) count = std::max(count, texts.size());
  RunFlags common;
  common.model = flags.model;
  common.layout = flags.layout;
  std::vector<RunFlags> runs(count, common);
  const std::tuple<const char*, decltype(by_input), std::vector<std::string> RunFlags::*> all[] = {
      {"--input", by_input, &RunFlags::inputs},
      {"--lengths", by_name(flags.lengths, interface.times), &RunFlags::lengths},
      {"--steps", by_name(flags.steps, interface.times), &RunFlags::steps},
      {"--state", by_name(flags.states, states), &RunFlags::states}};
  for (const auto& [flag, names, member] : all)
    for (const auto& [name, texts] : names) {
      if (texts.size() != 1 && texts.size() != count)
        return usage_error(flag, (name.empty() ? "" : name + " ") + "is given " + std::to_string(texts.size()) +
                                     " times, but there are " + std::to_string(count) +
                                     " runs; give it once, or for each run");
      for (std::size_t i = 0; i < count; ++i) (runs[i].*member).push_back(texts[texts.size() == 1 ? 0 : i]);
    }
  return runs;
}

using Largest = std::map<std::string, float>;  // vector -> its largest magnitude so far

// Keeps what a run has measured of a vector. Returns false where that is no number.
bool keep(const std::vector<float>& measured, float& largest) {
  if (!std::ranges::all_of(measured, [](float each) { return std::isfinite(each); })) return false;
  for (const float each : measured) largest = std::max(largest, each);
  return true;
}

// Runs the model on the sequences of one run.
Result<void> measure(const Program& program, const Interface& interface, const compiler::MeasuringNetwork& measuring,
                     const Job& job, const RunFlags& run, Largest& largest) {
  if (const auto checked = check_memory(run_bytes(program, interface, job.batch), "the values"); !checked)
    return checked.error();
  const Result<SequenceResult> result = run_compiled(program, interface, job.batch, job.states);
  if (!result) return result.error();
  std::set<std::string> no_numbers;
  for (std::size_t i = 0; i < interface.outputs.size(); ++i)
    if (const auto found = measuring.outputs.find(interface.outputs[i].name); found != measuring.outputs.end())
      if (!keep(result->outputs[i], largest[found->second])) no_numbers.insert(found->second);
  for (const auto& [state, vector] : measuring.states)
    if (!keep(result->states.at(state), largest[vector])) no_numbers.insert(vector);
  if (no_numbers.empty()) return {};
  return Error{ErrorCode::InvalidData,
               {run.inputs.empty() ? "" : run.inputs.front()},
               "NaN or infinities are in " + join(no_numbers) + "; a range is of numbers, so leave such sequences out",
               {}};
}

using Vectors = std::map<std::string, std::optional<double>>;

Result<Largest> measure_all(const CalibrateFlags& flags, const Source& source, const ir::Network& network,
                            const Vectors& vectors) {
  std::set<std::string> names;
  Largest largest;
  for (const auto& [name, proved] : vectors) names.insert(name), largest[name] = 0;
  const compiler::MeasuringNetwork measuring = compiler::measuring(network, names);
  Source measured{Model(std::make_shared<const ir::Module>(measuring.module)), {}, source.weights, {}, {}};
  if (measuring.module.cells.empty())
    measured.network = measuring.network;
  else
    measured.cell = measuring.module.cells.front();
  const Result<Program> program = compile(measured, flags.data.model, flags.data.threads);
  if (!program) return program.error();
  const Interface own = interface_of(network), interface = interface_of(measuring.network);
  const Result<std::vector<RunFlags>> runs = runs_of(flags.data, own);
  if (!runs) return runs.error();
  for (const RunFlags& run : *runs) {
    const Result<Job> job = read_job(run, own, source.given);
    if (!job) return job.error();
    if (const auto done = measure(*program, interface, measuring, *job, run, largest); !done) return done.error();
  }
  return largest;
}

std::string number(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string range(double bound) { return number(-bound) + " to " + number(bound); }

bool has_scale(double bound) { return bound >= runtime::kSmallestScaled && bound <= compiler::kLargestMeasured; }

void print_table(const Vectors& vectors, const Largest& largest, const Ranges& ranges) {
  std::size_t width = std::string("vector").size();
  for (const auto& [name, proved] : vectors) width = std::max(width, name.size());
  const auto line = [&](const std::string& name, const std::string& most, const std::string& its_range,
                        const std::string& scale) {
    std::printf("%-*s  %10s  %-22s  %s\n", static_cast<int>(width), name.c_str(), most.c_str(), its_range.c_str(),
                scale.c_str());
  };
  line("vector", "largest", "range", "scale");
  for (const auto& [name, proved] : vectors) {
    const float most = largest.at(name);
    if (proved)
      line(name, number(most), range(*proved), "constant, the range is proved");
    else if (const auto bound = ranges.bounds.find(name); bound != ranges.bounds.end())
      line(name, number(most), range(bound->second), "constant, the range was measured");
    else
      line(name, number(most), "none", most == 0 ? "of each step: it was always 0" : "of each step: no f32 scale");
  }
}

Result<int> calibrate(const CalibrateFlags& flags) {
  const Result<BoundSource> model = load_with_weights(flags.data.model, flags.data.states);
  if (!model) return model.error();
  const auto& [source, network] = *model;
  const Vectors vectors = compiler::multiplied_vectors(network);
  const Result<Largest> largest = measure_all(flags, source, network, vectors);
  if (!largest) return largest.error();
  Ranges ranges{compiler::identity_of(network, source.weights), flags.margin, {}};
  for (const auto& [name, proved] : vectors)
    if (const double bound = flags.margin * largest->at(name); !proved && has_scale(bound))
      ranges.bounds[name] = static_cast<float>(bound);
  const std::string text = to_text(ranges);
  const auto written = files::write_file(flags.output, {std::as_bytes(std::span(text))});
  if (!written) return written.error();
  print_table(vectors, *largest, ranges);
  return kOk;
}

Result<int> run(const CalibrateFlags& flags) {
  std::vector<NamedFile> read = files_of(flags.data.model);
  for (const auto& [flag, texts] : {std::pair("--input", &flags.data.inputs),
                                    {"--state", &flags.data.states},
                                    {"--lengths", &flags.data.lengths}}) {
    const std::vector<NamedFile> files = files_of(flag, *texts);
    read.insert(read.end(), files.begin(), files.end());
  }
  if (const auto checked = check_outputs({{"-o", flags.output}}, read); !checked) return checked.error();
  return calibrate(flags);
}

}  // namespace

Verb add_calibrate(CLI::App& program) {
  CLI::App& app = add_verb(
      program, "calibrate",
      {"rnnc calibrate lstm.rnn --weights lstm.safetensors --input x.npy -o lstm.ranges.json",
       "rnnc calibrate model.onnx --input x.npy --lengths n.npy --margin 1.5 -o model.ranges.json"},
      "Measures, on sequences of yours, how large the vectors become that matrices multiply. With these ranges, "
      "weights "
      "of integers need no scale that is found in each step. A value beyond its range gives NaN, so let the sequences "
      "be as loud as any.");
  auto flags = std::make_shared<CalibrateFlags>();
  add_stacked_model_flags(app, flags->data.model);
  begin_group(app, kDataGroup);
  add_list(app, "--input", flags->data.inputs,
           "x, f32[T,B,I], or NAME=v.npy, as of rnnc run; several of one name are runs of their own")
      ->type_name("x.npy");
  add_layout_flag(app, flags->data.layout);
  add_list(app, "--lengths", flags->data.lengths, "int32[B], as of rnnc run; one for each run, or one for all")
      ->type_name("n.npy");
  add_list(app, "--steps", flags->data.steps, "how many steps a network runs for that no input tells")
      ->type_name("S=N");
  add_list(app, "--state", flags->data.states, "an initial state, f32[B,H]; zero where none is given")
      ->type_name("NAME=s.npy");
  app.add_option("--margin", flags->margin, "how much wider than what was measured a range is (default 1.25)")
      ->check(CLI::Range(1.0, 1000.0))
      ->type_name("FACTOR");
  begin_group(app, kOutputGroup);
  app.add_option("-o,--output", flags->output, "the ranges, for --ranges of the other verbs")
      ->required()
      ->type_name("RANGES.json");
  begin_group(app, kMachineGroup);
  add_number(app, "--threads", flags->data.threads, 1, kMaxThreads, "threads to run on (default 1)");
  add_backend_flag(app, flags->data.model, {"jit", "portable", "auto"});
  return {&app, [flags] { return run(*flags); }};
}

}  // namespace rnnc::tools
