// rnnc run reads sequences from files, runs a model or an artifact on them, and writes the results to files.
#include <memory>

#include "compiler/network/network.hpp"
#include "runtime/number_format.hpp"
#include "tools/artifact.hpp"
#include "tools/command_line.hpp"
#include "tools/exit_code.hpp"
#include "tools/given_weights.hpp"
#include "tools/half_weights.hpp"
#include "tools/outputs.hpp"
#include "tools/run_data.hpp"
#include "tools/verbs.hpp"

namespace rnnc::tools {
namespace {

const Error kNoInput = {ErrorCode::Usage, {}, "--input is required"};

Result<int> run_artifact(const RunFlags& flags) {
  if (flags.inputs.empty()) return kNoInput;
  const Result<Program> program = load_program(flags.model, flags.threads);
  if (!program) return program.error();
  const Interface interface = interface_of(*program);
  const Result<Job> job = read_job(flags, interface, {});
  if (!job) return job.error();
  if (const auto checked = check_memory(run_bytes(*program, interface, job->batch), "the values"); !checked)
    return checked.error();
  return write_results(interface, *job, run_compiled(*program, interface, job->batch, job->states));
}

Result<int> run_model(const RunFlags& flags) {
  if (const auto target = target_of(flags.model, flags.model.backend == "jit"); !target) return target.error();
  const Result<Source> source = load_source(flags.model, flags.states);
  if (!source) return source.error();
  if (!source->network && flags.inputs.empty()) return kNoInput;
  if (const auto checked = check_has_weights(*source); !checked) return checked.error();
  const Result<ir::Network> network = bind(*source);
  if (!network) return network.error();
  const Interface interface = interface_of(*network);
  const Result<Job> job = read_job(flags, interface, source->given);
  if (!job) return job.error();
  if (const auto checked = compiler::check_weights(*network, source->weights); !checked)
    return about_weights(checked.error(), *source);
  // The interpreter keeps every value of every step, and the compiled network no more than that.
  if (const auto checked = check_memory(value_bytes(*network, job->batch), "the values"); !checked)
    return checked.error();
  if (flags.model.backend == "interpret") {
    if (runtime::is_integer(weight_format(flags.model)))
      return usage_error(
          "--backend",
          "interpret computes no integers; --backend portable has the bits of --weights-as " + flags.model.weights_as);
    const Result<TensorMap> weights = rounded_weights(*network, source->weights, weight_format(flags.model));
    if (!weights) return weights.error();
    return write_results(interface, *job, run_interpreted(*network, *weights, job->batch, job->states));
  }
  const Result<Program> program = compile(*source, flags.model, flags.threads);
  if (!program) return program.error();
  return write_results(interface, *job, run_compiled(*program, interface, job->batch, job->states));
}

Result<void> check_files(const RunFlags& flags) {
  const Result<Assignments> final_states = parse_assignments("--final-state", flags.final_states, "f.npy");
  if (!final_states) return final_states.error();
  std::vector<NamedFile> written, read = files_of(flags.model);
  for (const std::string& text : flags.outputs) {
    const OutputFile file = parse_output(text);
    written.push_back({file.name.empty() ? "--output" : "--output " + file.name, written_path(file)});
  }
  for (const auto& [name, path] : *final_states) written.push_back({"--final-state " + name, path});
  for (const auto& [flag, texts] :
       {std::pair("--input", &flags.inputs), {"--state", &flags.states}, {"--lengths", &flags.lengths}}) {
    const std::vector<NamedFile> files = files_of(flag, *texts);
    read.insert(read.end(), files.begin(), files.end());
  }
  return check_outputs(written, read);
}

Result<int> run(const RunFlags& flags) {
  if (const auto checked = check_files(flags); !checked) return checked.error();
  return is_artifact(flags.model.model) ? run_artifact(flags) : run_model(flags);
}

}  // namespace

Verb add_run(CLI::App& program) {
  CLI::App& app =
      add_verb(program, "run",
               {"rnnc run lstm.rnn --weights lstm.safetensors --input x.npy --output y.npy",
                "rnnc run lstm.rnn --weights lstm.safetensors --input x.npy --output y.npy --state h=h.npy "
                "--final-state c=c.npy",
                "rnnc run model.onnx --input x.npy --lengths n.npy --output y.npy --threads 2",
                "rnnc run voice.rnn --input x.npy --output y.npy --output energy=e.npy",
                "rnnc run --cell gru --weights gru.safetensors --input x.npy --output y.npy --backend interpret"},
               "Runs sequences x f32[T,B,I] through a cell or network and writes y f32[T,B,O], or f32[B,O]. "
               "Several inputs lie side by side in a row of x.");
  auto flags = std::make_shared<RunFlags>();
  add_stacked_model_flags(app, flags->model);
  CLI::Option* const isa = app.get_option("--isa");
  isa->description(isa->get_description() + "; of an artifact the level to run");
  begin_group(app, kDataGroup);
  add_list(app, "--input", flags->inputs,
           "x, f32[T,B,I]; for one input of a network, a vector f32[B,I] say, NAME=v.npy; - is standard input")
      ->type_name("x.npy");
  add_layout_flag(app, flags->layout);
  add_list(app, "--lengths", flags->lengths,
           "int32[B]: where sequences are shorter than T; of another time S of a network, S=n.npy")
      ->type_name("n.npy");
  add_list(app, "--steps", flags->steps, "how many steps a network runs for that no input tells")->type_name("S=N");
  add_list(app, "--state", flags->states, "an initial state, f32[B,H]; zero where none is given")
      ->type_name("NAME=s.npy");
  begin_group(app, kOutputGroup);
  add_list(app, "-o,--output", flags->outputs,
           "y, f32[T,B,O]; of a network with several outputs, NAME=e.npy for another; - is standard output")
      ->required()
      ->type_name("y.npy");
  add_list(app, "--final-state", flags->final_states,
           "a final state, f32[B,H]; of an ONNX graph also the output that has it, in its own shape")
      ->type_name("NAME=f.npy");
  begin_group(app, kMachineGroup);
  add_number(app, "--threads", flags->threads, 1, kMaxThreads, "threads to run on (default 1)");
  add_backend_flag(app, flags->model, {"jit", "interpret", "portable", "auto"});
  add_weights_as_flag(app, flags->model);
  return {&app, [flags] { return run(*flags); }};
}

}  // namespace rnnc::tools
