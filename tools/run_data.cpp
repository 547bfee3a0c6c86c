// Inputs are sequences, side by side in x or one by one by name, and vectors, by name.
#include "tools/run_data.hpp"

#include <algorithm>

#include <rnnc/join.hpp>

#include "ir/syntax.hpp"
#include "tools/exit_code.hpp"
#include "tools/outputs.hpp"
#include "tools/read_data.hpp"

namespace rnnc::tools {
namespace {

ir::Vector widened(const Tensor& tensor) {
  const std::vector<float> values = tensor.to_f32();
  return {values.begin(), values.end()};
}

class JobReader {
 public:
  JobReader(const RunFlags& flags, const Interface& interface, const GivenByModel& given)
      : flags_(flags), interface_(interface), given_(given) {}

  Result<Job> run() {
    for (const auto step :
         {&JobReader::read_outputs, &JobReader::read_final_states, &JobReader::take_given_states,
          &JobReader::read_inputs, &JobReader::read_states, &JobReader::read_steps, &JobReader::read_lengths})
      if (const Result<void> done = (this->*step)(); !done) return done.error();
    return std::move(job_);
  }

 private:
  Result<void> read_outputs();
  Result<void> read_final_states();
  Result<void> take_given_states();
  Result<void> read_inputs();
  Result<void> read_x(const std::string& path);
  Result<void> read_named(const NamedType& input, const std::string& path);
  Result<void> keep_sizes(const std::string& path, const std::string& what, const Tensor& tensor,
                          const std::string& axis, std::int64_t size);
  Result<void> read_states();
  Result<void> read_steps();
  Result<void> read_lengths();

  const NamedType* find_input(const std::string& name) const {
    const auto found = std::ranges::find(interface_.inputs, name, &NamedType::name);
    return found == interface_.inputs.end() ? nullptr : &*found;
  }
  bool has(const NamedType& input) const { return job_.batch.inputs.contains(input.name); }

  const RunFlags& flags_;
  const Interface& interface_;
  const GivenByModel& given_;
  std::optional<std::int64_t> sequences_;
  Job job_;
};

Result<void> JobReader::read_outputs() {
  std::vector<std::string> known;
  for (const NamedType& output : interface_.outputs) known.push_back(output.name);
  for (const std::string& text : flags_.outputs) {
    const OutputFile file = parse_output(text);
    const std::string& name = file.name.empty() ? known.front() : file.name;
    if (std::ranges::find(known, name) == known.end())
      return usage_error("--output", interface_.name + " has no output " + name + "; its outputs are: " + join(known) +
                                         ir::did_you_mean(name, known));
    if (!job_.outputs.emplace(name, file.path).second) return usage_error("--output", name + " is given twice");
  }
  return {};
}

Result<void> JobReader::read_final_states() {
  Result<Assignments> files = parse_assignments("--final-state", flags_.final_states, "f.npy");
  if (!files) return files.error();
  job_.final_states = std::move(*files);
  for (const auto& [name, path] : job_.final_states)
    if (const auto found = find_state("--final-state", name, interface_.states); !found) return found.error();
  return {};
}

Result<void> JobReader::take_given_states() {
  for (const auto& [name, tensor] : given_.states) {
    if (!sequences_) sequences_ = tensor.shape[0];
    if (tensor.shape[0] != *sequences_)
      return usage_error("--state", "the states are of " + std::to_string(*sequences_) + " and of " +
                                        std::to_string(tensor.shape[0]) + " sequences");
    job_.states[name] = widened(tensor);
  }
  return {};
}

// The first file tells the numbers of steps and sequences, which the others must have too.
Result<void> JobReader::keep_sizes(const std::string& path, const std::string& what, const Tensor& tensor,
                                   const std::string& axis, std::int64_t size) {
  const std::size_t rank = axis.empty() ? 2 : 3;
  if (tensor.shape.size() != rank) {
    const bool is_one = rank == 3 && tensor.shape.size() == 2;
    return Error{ErrorCode::ShapeMismatch,
                 {path},
                 "shape mismatch: " + what + " must be f32[" + (axis.empty() ? "" : axis + ",") + "B," +
                     std::to_string(size) + "] but is " + to_string(tensor.shape) +
                     (is_one ? "; reshape one sequence [" + axis + ",I] to [" + axis + ",1,I]" : "")};
  }
  if (!sequences_) sequences_ = tensor.shape[rank - 2];
  Shape wanted = {*sequences_, size};
  if (!axis.empty())
    wanted.insert(wanted.begin(),
                  job_.batch.times.try_emplace(axis, ir::Time{tensor.shape[0], {}}).first->second.steps);
  if (tensor.shape != wanted) return wrong_shape(path, what, wanted, tensor.shape);
  return {};
}

Result<void> JobReader::read_named(const NamedType& input, const std::string& path) {
  const Result<Tensor> tensor = read_f32(path, input.name);
  if (!tensor) return tensor.error();
  const auto kept = keep_sizes(path, input.name, *tensor, input.type.axis, elements(input.type));
  if (kept) job_.batch.inputs[input.name] = widened(*tensor);
  return kept;
}

// Reads all sequences of the time T, side by side.
Result<void> JobReader::read_x(const std::string& path) {
  if (!interface_.times.contains(std::string(ir::kTime)))
    return usage_error("--input",
                       "network " + interface_.name + " has no input of type seq; give others as NAME=" + path);
  const std::vector<NamedType> parts = interface_.in_x();
  if (const auto twice = std::ranges::find_if(parts, [&](const NamedType& part) { return has(part); });
      twice != parts.end())
    return usage_error("--input", "given twice; there is one x, with its inputs side by side, or else each by name");
  const Result<Tensor> x = read_f32(path, "x");
  if (!x) return x.error();
  if (const auto kept = keep_sizes(path, "x", *x, std::string(ir::kTime), interface_.input_size()); !kept) return kept;
  for (const NamedType& part : parts) job_.batch.inputs[part.name];  // also where there are no rows
  const ir::Vector values = widened(*x);
  for (auto row = values.begin(); row != values.end();) {
    for (const NamedType& part : parts) {
      ir::Vector& to = job_.batch.inputs[part.name];
      to.insert(to.end(), row, row + elements(part.type));
      row += elements(part.type);
    }
  }
  return {};
}

Result<void> JobReader::read_inputs() {
  for (const std::string& text : flags_.inputs) {
    const std::size_t equals = text.find('=');
    const NamedType* input = equals == std::string::npos ? nullptr : find_input(text.substr(0, equals));
    if (input && has(*input)) return usage_error("--input", input->name + " is given twice");
    const auto read = input ? read_named(*input, text.substr(equals + 1)) : read_x(text);
    if (!read) return read;
  }
  for (const NamedType& input : interface_.inputs)
    if (!has(input))
      return usage_error("--input",
                         input.name + " of type " + input.type.to_string() + " is missing; give " +
                             (input.type.axis == ir::kTime ? "x.npy" : input.name + "=" + input.name + ".npy"));
  return {};
}

Result<void> JobReader::read_states() {
  const Result<Assignments> files = parse_assignments("--state", flags_.states, "s.npy");
  if (!files) return files.error();
  for (const auto& [name, path] : *files) {
    if (std::ranges::find(given_.inputs, name) != given_.inputs.end()) continue;  // the importer took this one
    const Result<NamedSize> state = find_state("--state", name, interface_.states);
    if (!state) return state.error();
    if (interface_.begun_by_inputs.contains(name))
      return usage_error("--state " + name, "the network begins it with a value that depends on its inputs");
    const Result<Tensor> tensor = read_f32(path, "state " + name);
    if (!tensor) return tensor.error();
    if (!sequences_) sequences_ = tensor->shape.empty() ? 0 : tensor->shape[0];
    const Shape wanted = {*sequences_, state->size};
    if (tensor->shape != wanted) return wrong_shape(path, "state " + name, wanted, tensor->shape);
    job_.states[name] = widened(*tensor);
  }
  job_.batch.sequences = sequences_.value_or(1);
  return {};
}

Result<void> JobReader::read_steps() {
  const std::vector<std::string> times(interface_.times.begin(), interface_.times.end());
  const Result<std::map<std::string, std::int64_t>> steps = parse_sizes("--steps", flags_.steps);
  if (!steps) return steps.error();
  for (const auto& [name, count] : *steps) {
    if (!interface_.times.contains(name))
      return usage_error("--steps " + name,
                         "network " + interface_.name + " has no time of this name" + ir::did_you_mean(name, times));
    if (!job_.batch.times.try_emplace(name, ir::Time{count, {}}).second)
      return usage_error("--steps " + name, "an input tells how many steps there are");
  }
  for (const std::string& name : times)
    if (!job_.batch.times.contains(name))
      return usage_error("--steps", "missing; network " + interface_.name + " runs for " + name +
                                        " steps, which no input tells; give " + name + "=20, say");
  return {};
}

Result<void> JobReader::read_lengths() {
  if (const auto taken = take_lengths(given_.lengths, job_.batch); !taken) return taken;
  std::set<std::string> told;
  for (const std::string& text : flags_.lengths) {
    const std::size_t equals = text.find('=');
    const bool named = equals != std::string::npos && interface_.times.contains(text.substr(0, equals));
    const std::string name = named ? text.substr(0, equals) : std::string(ir::kTime);
    const auto time = job_.batch.times.find(name);
    if (time == job_.batch.times.end())
      return usage_error("--lengths", "network " + interface_.name + " has no sequence of time " + name);
    if (!told.insert(name).second) return usage_error("--lengths", "given twice for the time " + name);
    const auto lengths =
        tools::read_lengths(named ? text.substr(equals + 1) : text, time->second.steps, job_.batch.sequences);
    if (!lengths) return lengths.error();
    time->second.lengths.assign(lengths->begin(), lengths->end());
  }
  return {};
}

}  // namespace

Result<void> take_lengths(const std::vector<std::int32_t>& lengths, ir::NetworkBatch& batch) {
  if (lengths.empty()) return {};
  ir::Time& time = batch.times.at(std::string(ir::kTime));
  const std::int32_t longest = *std::ranges::max_element(lengths);
  if (std::ssize(lengths) != batch.sequences || longest > time.steps)
    return Error{ErrorCode::ShapeMismatch,
                 {},
                 "shape mismatch: the lengths of the model are for " + std::to_string(lengths.size()) +
                     " sequences of up to " + std::to_string(longest) + " steps, but x is of " +
                     std::to_string(batch.sequences) + " of " + std::to_string(time.steps)};
  time.lengths.assign(lengths.begin(), lengths.end());
  return {};
}

Result<Job> read_job(const RunFlags& flags, const Interface& interface, const GivenByModel& given) {
  Result<Job> job = JobReader(flags, interface, given).run();
  if (job) job->behind_the_end = given.behind_the_end;
  return job;
}

namespace {

Tensor tensor_of(const NamedType& output, const Job& job, std::vector<float> values) {
  const std::int64_t sequences = job.batch.sequences;
  Shape shape = {sequences, elements(output.type)};
  if (!output.type.is_sequence()) return Tensor::from_f32(shape, values);
  const auto& time = job.batch.times.at(output.type.axis);
  shape.insert(shape.begin(), time.steps);
  // A program gives zeros behind the ends; an ONNX graph may compute something of them.
  if (const auto found = job.behind_the_end.find(output.name); found != job.behind_the_end.end())
    for (std::size_t k = 0; k < time.lengths.size(); ++k)
      for (std::int64_t t = time.lengths[k]; t < time.steps; ++t)
        std::ranges::copy(found->second,
                          values.begin() + (t * sequences + static_cast<std::int64_t>(k)) * std::ssize(found->second));
  return Tensor::from_f32(shape, values);
}

}  // namespace

OutputFile parse_output(const std::string& text) {
  const std::size_t equals = text.find('=');
  const bool is_named = equals != std::string::npos && ir::is_name(text.substr(0, equals));
  return is_named ? OutputFile{text.substr(0, equals), text.substr(equals + 1)} : OutputFile{"", text};
}

Result<int> write_results(const Interface& interface, const Job& job, const Result<SequenceResult>& result) {
  if (!result) return result.error();
  const std::int64_t sequences = job.batch.sequences;
  std::vector<Output> outputs;
  for (std::size_t i = 0; i < interface.outputs.size(); ++i)
    if (const auto wanted = job.outputs.find(interface.outputs[i].name); wanted != job.outputs.end())
      outputs.push_back({wanted->second, tensor_of(interface.outputs[i], job, result->outputs[i])});
  for (const NamedSize& state : interface.states)
    if (const auto wanted = job.final_states.find(state.name); wanted != job.final_states.end())
      outputs.push_back({wanted->second, Tensor::from_f32({sequences, state.size}, result->states.at(state.name))});
  if (const auto written = write_outputs(outputs); !written) return written.error();
  return kOk;
}

}  // namespace rnnc::tools
