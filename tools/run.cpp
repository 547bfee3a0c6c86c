// rnnc run: sequences from files through a cell, and the results into files.
#include <algorithm>
#include <memory>

#include <rnnc/tensor_files.hpp>

#include "tools/command_line.hpp"
#include "tools/exit_code.hpp"
#include "tools/flags.hpp"
#include "tools/load_model.hpp"
#include "tools/outputs.hpp"
#include "tools/read_data.hpp"
#include "tools/run_artifact.hpp"
#include "tools/run_network.hpp"
#include "tools/sequence.hpp"
#include "tools/verbs.hpp"

namespace rnnc::tools {
namespace {

Result<void> read_input(const std::string& path, const Interface& interface, Sequence& sequence) {
  const Result<Tensor> x = read_f32(path, "x");
  if (!x) return x.error();
  const Shape& shape = x->shape;
  if (shape.size() != 3) {
    const std::string hint = shape.size() == 2 ? "; reshape one sequence [T,I] to [T,1,I]" : "";
    return Error{ErrorCode::ShapeMismatch,
                 {path},
                 "shape mismatch: x must be f32[T,B," + std::to_string(interface.input_size) + "] but is " +
                     to_string(shape) + hint,
                 {}};
  }
  if (shape[2] != interface.input_size)
    return wrong_shape(path, "x", {shape[0], shape[1], interface.input_size}, shape);
  sequence.steps = shape[0];
  sequence.batch = shape[1];
  sequence.x = x->to_f32();
  return {};
}

// What the flags ask for, read and checked.
struct Job {
  Interface interface;
  Assignments states, final_states;
  Sequence sequence;
};

Result<void> check_sizes(const Job& job) {
  double width = static_cast<double>(job.interface.output_size);
  const auto steps = static_cast<double>(job.sequence.steps), batch = static_cast<double>(job.sequence.batch);
  if (const auto checked = check_memory(4 * steps * batch * width, "the output"); !checked) return checked;
  width = 0;
  for (const NamedSize& state : job.interface.states) width += static_cast<double>(state.size);
  return check_memory(8 * batch * width, "the states");
}

// --input: x, and vectors by name.
struct Inputs {
  std::vector<std::string> x;
  Assignments vectors;
};

Result<Inputs> split_inputs(const std::vector<std::string>& values, const Interface& interface) {
  Inputs inputs;
  for (const std::string& value : values) {
    const std::string name = value.substr(0, value.find('='));
    const auto has_name = [&](const NamedSize& vector) { return vector.name == name; };
    if (value == name || std::ranges::none_of(interface.vectors, has_name))
      inputs.x.push_back(value);
    else if (!inputs.vectors.emplace(name, value.substr(name.size() + 1)).second)
      return usage_error("--input", name + " is given twice");
  }
  return inputs;
}

Result<std::vector<float>> read_vector(const Assignments& files, const NamedSize& vector, std::int64_t batch) {
  const auto file = files.find(vector.name);
  if (file == files.end()) return usage_error("--input", vector.name + "=v.npy is missing");
  const Result<Tensor> tensor = read_f32(file->second, "input " + vector.name);
  if (!tensor) return tensor.error();
  const Shape wanted = {batch, vector.size};
  if (tensor->shape != wanted) return wrong_shape(file->second, "input " + vector.name, wanted, tensor->shape);
  return tensor->to_f32();
}

// The file of a flag that a cell takes once; "" where it is not given.
Result<std::string> only(const std::string& flag, const std::vector<std::string>& values) {
  if (values.size() > 1) return usage_error(flag, "given twice; a cell has one x, with its inputs side by side");
  return values.empty() ? "" : values.front();
}

Result<Job> read_job(const RunFlags& flags, Interface interface) {
  const Result<Assignments> states = parse_assignments("--state", flags.states, "s.npy");
  if (!states) return states.error();
  const Result<Assignments> final_states = parse_assignments("--final-state", flags.final_states, "f.npy");
  if (!final_states) return final_states.error();
  Result<Inputs> inputs = split_inputs(flags.inputs, interface);
  if (!inputs) return inputs.error();
  const Result<std::string> input = only("--input", inputs->x), lengths = only("--lengths", flags.lengths);
  if (!input) return input.error();
  if (!lengths) return lengths.error();
  if (!flags.steps.empty()) return usage_error("--steps", "a cell has as many steps as x");
  Job job{std::move(interface), *states, *final_states, {}};
  for (const auto& [name, path] : job.final_states)
    if (const auto state = find_state("--final-state", name, job.interface.states); !state) return state.error();
  if (const auto read = read_input(*input, job.interface, job.sequence); !read) return read.error();
  if (!lengths->empty()) {
    Result<std::vector<std::int32_t>> read = read_lengths(*lengths, job.sequence.steps, job.sequence.batch);
    if (!read) return read.error();
    job.sequence.lengths = std::move(*read);
  }
  for (const NamedSize& vector : job.interface.vectors) {
    auto read = read_vector(inputs->vectors, vector, job.sequence.batch);
    if (!read) return read.error();
    job.sequence.vectors[vector.name] = std::move(*read);
  }
  auto read = read_states(job.states, job.interface.states, job.sequence.batch);
  if (!read) return read.error();
  job.sequence.states = std::move(*read);
  if (const auto checked = check_sizes(job); !checked) return checked.error();
  return job;
}

Result<int> write_results(const RunFlags& flags, const Job& job, const Result<SequenceResult>& result) {
  if (!result) return result.error();
  const Sequence& sequence = job.sequence;
  const std::int64_t outputs_of_row = job.interface.output_size;
  std::vector<Output> outputs = {
      {"--output", flags.output,
       Tensor::from_f32(job.interface.output_over_time ? Shape{sequence.steps, sequence.batch, outputs_of_row}
                                                       : Shape{sequence.batch, outputs_of_row},
                        result->y)}};
  for (const NamedSize& state : job.interface.states) {
    const auto wanted = job.final_states.find(state.name);
    if (wanted == job.final_states.end()) continue;
    outputs.push_back({"--final-state " + state.name, wanted->second,
                       Tensor::from_f32({sequence.batch, state.size}, result->states.at(state.name))});
  }
  if (const auto written = write_outputs(outputs); !written) return written.error();
  return kOk;
}

Result<int> run_cell(const RunFlags& flags, const Source& source) {
  const Result<ir::Cell> cell = bind(source);
  if (!cell) return cell.error();
  const Result<Job> job = read_job(flags, interface_of(*cell));
  if (!job) return job.error();
  if (const auto checked = check_weights(*cell, source.weights); !checked)
    return about_weights(checked.error(), source);
  if (flags.model.backend == "interpret")
    return write_results(flags, *job, run_interpreted(*cell, source.weights, job->sequence));
  const Result<Program> program = compile(source, flags.model, flags.threads);
  if (!program) return program.error();
  return write_results(flags, *job, run_compiled(*program, job->sequence));
}

Result<int> run_artifact(const RunFlags& flags) {
  const Result<Program> program = load_program(flags);
  if (!program) return program.error();
  const Result<Interface> interface = interface_of(*program);
  if (!interface) return interface.error();
  const Result<Job> job = read_job(flags, *interface);
  if (!job) return job.error();
  return write_results(flags, *job, run_compiled(*program, job->sequence));
}

Result<int> run(const RunFlags& flags) {
  if (names_artifact(flags.model) && flags.inputs.empty())
    return Error{ErrorCode::Usage, {}, "--input is required", {}};
  if (names_artifact(flags.model)) return run_artifact(flags);
  if (const auto target = target_of(flags.model, flags.model.backend == "jit"); !target) return target.error();
  Result<Source> source = load_source(flags.model, flags.states);
  if (!source) return source.error();
  if (source->network) return run_network(flags, *source);
  if (flags.inputs.empty()) return Error{ErrorCode::Usage, {}, "--input is required", {}};
  return run_cell(flags, *source);
}

}  // namespace

Verb add_run(CLI::App& program) {
  CLI::App& app =
      add_verb(program, "run",
               {"rnnc run lstm.rnn --weights lstm.safetensors --input x.npy --output y.npy",
                "rnnc run lstm.rnn --weights lstm.safetensors --input x.npy --output y.npy --state h=h.npy "
                "--final-state c=c.npy",
                "rnnc run model.onnx --input x.npy --lengths n.npy --output y.npy --threads 2",
                "rnnc run --cell gru --weights gru.safetensors --input x.npy --output y.npy --backend interpret"},
               "Runs sequences x f32[T,B,I] through a cell or network and writes y f32[T,B,O], or f32[B,O]. "
               "Several inputs lie side by side in a row of x.");
  auto flags = std::make_shared<RunFlags>();
  add_model_flags(app, flags->model);
  add_stack_flags(app, flags->model);
  begin_group(app, kDataGroup);
  add_list(app, "--input", flags->inputs,
           "x, f32[T,B,I]; for one input of a network, a vector f32[B,I] say, NAME=v.npy")
      ->type_name("x.npy");
  add_list(app, "--lengths", flags->lengths,
           "int32[B]: where sequences are shorter than T; of another time S of a network, S=n.npy")
      ->type_name("n.npy");
  add_list(app, "--steps", flags->steps, "how many steps a network runs for that no input tells")->type_name("S=N");
  add_list(app, "--state", flags->states, "an initial state, f32[B,H]; zero where none is given")
      ->type_name("NAME=s.npy");
  begin_group(app, kOutputGroup);
  app.add_option("--output", flags->output, "y, f32[T,B,O]")->required()->type_name("y.npy");
  add_list(app, "--final-state", flags->final_states, "a final state, f32[B,H]")->type_name("NAME=f.npy");
  begin_group(app, kMachineGroup);
  add_number(app, "--threads", flags->threads, 1, kMaxThreads, "threads to run on (default 1)");
  add_backend_flag(app, flags->model, {"jit", "interpret", "portable", "auto"});
  return {&app, [flags] { return run(*flags); }};
}

}  // namespace rnnc::tools
