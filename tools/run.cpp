// rnnc run: sequences from files through a cell, and the results into files.
#include <algorithm>
#include <cstring>
#include <memory>

#include <rnnc/tensor_files.hpp>

#include "tools/exit_code.hpp"
#include "tools/flags.hpp"
#include "tools/load_model.hpp"
#include "tools/outputs.hpp"
#include "tools/sequence.hpp"
#include "tools/verbs.hpp"

namespace rnnc::tools {
namespace {

struct RunFlags {
  ModelFlags model;
  std::string input, lengths, output, backend = "jit";
  std::vector<std::string> states, final_states;
  std::int64_t threads = 1;
};

Error wrong_shape(const std::string& path, const std::string& what, const Shape& wanted, const Shape& found) {
  return {ErrorCode::ShapeMismatch,
          {path},
          "shape mismatch: " + what + " must be f32" + to_string(wanted) + " but is " + to_string(found),
          {}};
}

Error wrong_type(const std::string& path, const std::string& what, ElementType wanted, ElementType found) {
  return {ErrorCode::InvalidData,
          {path},
          what + " must be " + std::string(name(wanted)) + " but is " + std::string(name(found)) + "; convert it",
          {}};
}

Result<void> read_input(const std::string& path, const Interface& interface, Sequence& sequence) {
  const Result<Tensor> x = load_npy(path);
  if (!x) return x.error();
  if (x->type != ElementType::F32) return wrong_type(path, "x", ElementType::F32, x->type);
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

Result<void> read_lengths(const std::string& path, Sequence& sequence) {
  if (path.empty()) return {};
  const Result<Tensor> tensor = load_npy(path);
  if (!tensor) return tensor.error();
  if (tensor->type != ElementType::I32) return wrong_type(path, "lengths", ElementType::I32, tensor->type);
  if (tensor->shape != Shape{sequence.batch})
    return Error{ErrorCode::ShapeMismatch,
                 {path},
                 "shape mismatch: lengths must be " + to_string({sequence.batch}) +
                     ", one for each sequence, but are " + to_string(tensor->shape),
                 {}};
  sequence.lengths.resize(static_cast<std::size_t>(sequence.batch));
  if (!tensor->bytes.empty()) std::memcpy(sequence.lengths.data(), tensor->bytes.data(), tensor->bytes.size());
  for (std::size_t b = 0; b < sequence.lengths.size(); ++b)
    if (sequence.lengths[b] < 0 || sequence.lengths[b] > sequence.steps)
      return Error{ErrorCode::InvalidData,
                   {path},
                   "length " + std::to_string(sequence.lengths[b]) + " of sequence " + std::to_string(b) +
                       " is not between 0 and the " + std::to_string(sequence.steps) + " steps of x",
                   {}};
  return {};
}

Result<NamedSize> find_state(const std::string& flag, const std::string& name, const Interface& interface) {
  const auto found = std::ranges::find(interface.states, name, &NamedSize::name);
  if (found != interface.states.end()) return *found;
  std::string known;
  for (const NamedSize& state : interface.states) known += (known.empty() ? "" : ", ") + state.name;
  return usage_error(flag + " " + name, "the cell has no such state; it has " + (known.empty() ? "none" : known));
}

Result<void> read_states(const Assignments& files, const Interface& interface, Sequence& sequence) {
  for (const auto& [name, path] : files) {
    const Result<NamedSize> state = find_state("--state", name, interface);
    if (!state) return state.error();
    const Result<Tensor> tensor = load_npy(path);
    if (!tensor) return tensor.error();
    if (tensor->type != ElementType::F32) return wrong_type(path, "state " + name, ElementType::F32, tensor->type);
    const Shape wanted = {sequence.batch, state->size};
    if (tensor->shape != wanted) return wrong_shape(path, "state " + name, wanted, tensor->shape);
    sequence.states[name] = tensor->to_f32();
  }
  return {};
}

// What the flags ask for, read and checked.
struct Job {
  Source source;
  ir::Cell cell;
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

Result<Job> read_job(const RunFlags& flags) {
  const Result<Assignments> states = parse_assignments("--state", flags.states, "s.npy");
  if (!states) return states.error();
  const Result<Assignments> final_states = parse_assignments("--final-state", flags.final_states, "f.npy");
  if (!final_states) return final_states.error();
  if (flags.backend == "portable")
    return Error{ErrorCode::Unsupported, {}, "--backend portable: not in this version; use jit or interpret", {}};
  if (const auto target = target_of(flags.model, flags.backend == "jit"); !target) return target.error();
  Result<Source> source = load_source(flags.model);
  if (!source) return source.error();
  Result<ir::Cell> cell = bind(*source);
  if (!cell) return cell.error();
  Job job{std::move(*source), *cell, interface_of(*cell), *states, *final_states, {}};
  if (const auto checked = check_weights(job.cell, job.source.weights); !checked) return checked.error();
  for (const auto& [name, path] : job.final_states)
    if (const auto state = find_state("--final-state", name, job.interface); !state) return state.error();
  if (const auto read = read_input(flags.input, job.interface, job.sequence); !read) return read.error();
  if (const auto read = read_lengths(flags.lengths, job.sequence); !read) return read.error();
  if (const auto read = read_states(job.states, job.interface, job.sequence); !read) return read.error();
  if (const auto checked = check_sizes(job); !checked) return checked.error();
  return job;
}

Result<SequenceResult> execute(const Job& job, const RunFlags& flags) {
  if (flags.backend == "interpret") return run_interpreted(job.cell, job.source.weights, job.sequence);
  const Result<Program> program = compile(job.source, flags.model, flags.threads);
  if (!program) return program.error();
  return run_compiled(*program, job.sequence);
}

Result<int> run(const RunFlags& flags) {
  const Result<Job> job = read_job(flags);
  if (!job) return job.error();
  const Result<SequenceResult> result = execute(*job, flags);
  if (!result) return result.error();
  const Sequence& sequence = job->sequence;
  std::vector<Output> outputs = {
      {"--output", flags.output,
       Tensor::from_f32({sequence.steps, sequence.batch, job->interface.output_size}, result->y)}};
  for (const NamedSize& state : job->interface.states) {
    const auto wanted = job->final_states.find(state.name);
    if (wanted == job->final_states.end()) continue;
    outputs.push_back({"--final-state " + state.name, wanted->second,
                       Tensor::from_f32({sequence.batch, state.size}, result->states.at(state.name))});
  }
  if (const auto written = write_outputs(outputs); !written) return written.error();
  return kOk;
}

}  // namespace

Verb add_run(CLI::App& program) {
  CLI::App& app =
      *program.add_subcommand("run",
                              "Example: rnnc run lstm.rnn --weights lstm.safetensors --input x.npy --output y.npy\n\n"
                              "Runs sequences x f32[T,B,I] through a cell and writes y f32[T,B,O]. Several inputs lie "
                              "side by side in a row of x.");
  auto flags = std::make_shared<RunFlags>();
  add_model_flags(app, flags->model);
  app.add_option("--input", flags->input, "x, f32[T,B,I]")->required()->type_name("x.npy");
  app.add_option("--lengths", flags->lengths, "int32[B]: where sequences are shorter than T")->type_name("n.npy");
  add_list(app, "--state", flags->states, "an initial state, f32[B,H]; zero where none is given; may be repeated")
      ->type_name("NAME=s.npy");
  app.add_option("--output", flags->output, "y, f32[T,B,O]")->required()->type_name("y.npy");
  add_list(app, "--final-state", flags->final_states, "a final state, f32[B,H]; may be repeated")
      ->type_name("NAME=f.npy");
  add_number(app, "--threads", flags->threads, 1, kMaxThreads, "threads to run on");
  app.add_option("--backend", flags->backend, "what computes: jit (default), interpret or portable")
      ->check(CLI::IsMember({"jit", "interpret", "portable"}).description(""))
      ->type_name("NAME");
  return {&app, [flags] { return run(*flags); }};
}

}  // namespace rnnc::tools
