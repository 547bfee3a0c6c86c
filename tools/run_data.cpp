// Inputs are sequences, side by side in x or one by one by name, and vectors, by name.
#include "tools/run_data.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include <rnnc/join.hpp>

#include "ir/syntax.hpp"
#include "tools/exit_code.hpp"
#include "tools/graph_layout.hpp"
#include "tools/model_facts.hpp"
#include "tools/read_data.hpp"

namespace rnnc::tools {
namespace {

ir::Vector widened(const Tensor& tensor) {
  const std::vector<float> values = tensor.to_f32();
  return {values.begin(), values.end()};
}

std::vector<std::string> names_of(const std::vector<NamedType>& values) {
  std::vector<std::string> names;
  for (const NamedType& value : values) names.push_back(value.name);
  return names;
}

class JobReader {
 public:
  JobReader(const RunFlags& flags, const Interface& interface, const GivenByModel& given)
      : flags_(flags), interface_(interface), given_(given) {}

  Result<Job> run() {
    job_.batch_first = flags_.layout == kBatchFirst;
    for (const auto step : {&JobReader::read_outputs, &JobReader::read_final_states, &JobReader::take_given_states,
                            &JobReader::read_inputs, &JobReader::read_states, &JobReader::read_steps,
                            &JobReader::check_fixed_sizes, &JobReader::read_lengths, &JobReader::check_graph_finals})
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
  Result<Tensor> read_sequence(const std::string& path, const std::string& what) const;
  Result<void> keep_sizes(const std::string& path, const std::string& what, const Tensor& tensor,
                          const std::string& axis, std::int64_t size);
  Result<void> check_fixed_sizes();
  Result<void> check_graph_finals();
  Tensor from_graph(const NamedType& input, Tensor tensor) const;
  Result<void> read_states();
  Result<void> read_steps();
  Result<void> read_lengths();

  // An input has the name of the text, and that of the ONNX graph, where it has another there.
  const NamedType* find_input(std::string name) const {
    const auto in_graph = std::ranges::find(given_.graph.inputs, name, &GraphValue::name);
    if (in_graph != given_.graph.inputs.end() && !in_graph->as.empty()) name = in_graph->as;
    const auto found = std::ranges::find(interface_.inputs, name, &NamedType::name);
    return found == interface_.inputs.end() ? nullptr : &*found;
  }
  bool is_state(const std::string& name) const {
    const auto in_graph = std::ranges::find(given_.graph.inputs, name, &GraphValue::name);
    return in_graph != given_.graph.inputs.end() ||
           std::ranges::find(interface_.states, name, &NamedSize::name) != interface_.states.end();
  }
  std::string output_flag() const { return flags_.expects ? "--expect" : "--output"; }
  std::string final_flag() const { return flags_.expects ? "--expect-state" : "--final-state"; }
  bool has(const NamedType& input) const { return job_.batch.inputs.contains(input.name); }

  const RunFlags& flags_;
  const Interface& interface_;
  const GivenByModel& given_;
  std::optional<std::int64_t> sequences_;
  Job job_;
};

Result<void> JobReader::read_outputs() {
  const ImportedGraph& graph = given_.graph;
  const std::vector<std::string> known = names_of(interface_.outputs);
  for (const std::string& text : flags_.outputs) {
    OutputFile file = parse_output(text);
    if (!flags_.expects) file.path = written_path(file);
    std::string name = file.name.empty() ? known.front() : file.name;
    const auto is_it = [&](const GraphValue& value) { return value.name == file.name; };
    const auto in_graph = std::ranges::find_if(graph.outputs, is_it);
    const auto place = static_cast<std::size_t>(in_graph - graph.outputs.begin());
    const bool is_known = std::ranges::find(known, name) != known.end();
    if (!is_known && in_graph != graph.outputs.end() && place < known.size()) name = known[place];
    if (!is_known && std::ranges::any_of(graph.finals, is_it))
      return usage_error(output_flag(), name + " has final states; give " + final_flag() + " " + text);
    if (std::ranges::find(known, name) == known.end())
      return usage_error(output_flag(), interface_.name + " has no output " + name +
                                            "; its outputs are: " + join(known) + ir::did_you_mean(name, known));
    if (!job_.outputs.emplace(name, file.path).second) return usage_error(output_flag(), name + " is given twice");
  }
  return {};
}

Result<void> JobReader::read_final_states() {
  Result<Assignments> files = parse_assignments(final_flag(), flags_.final_states, "f.npy");
  if (!files) return files.error();
  for (const auto& [name, path] : *files) {
    const auto in_graph = std::ranges::find(given_.graph.finals, name, &GraphValue::name);
    if (in_graph != given_.graph.finals.end()) {
      job_.graph_finals.emplace(name, std::pair(*in_graph, path));
      continue;
    }
    if (const auto found = find_state(final_flag(), name, interface_.states); !found) {
      Error error = found.error();
      if (!given_.graph.finals.empty())
        error.message += "; by the names of the graph they are " + join(given_.graph.finals, &GraphValue::name);
      return error;
    }
    job_.final_states[name] = path;
  }
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

// Returns the tensor with the steps first.
Result<Tensor> JobReader::read_sequence(const std::string& path, const std::string& what) const {
  Result<Tensor> tensor = read_f32(path, what);
  if (!tensor || !job_.batch_first || tensor->shape.size() != 3) return tensor;
  return with_first_axes_swapped(*tensor);
}

// The first file tells the numbers of steps and sequences, which the others must have too.
Result<void> JobReader::keep_sizes(const std::string& path, const std::string& what, const Tensor& tensor,
                                   const std::string& axis, std::int64_t size) {
  const std::size_t rank = axis.empty() ? 2 : 3;
  if (tensor.shape.size() != rank) {
    const bool is_one = rank == 3 && tensor.shape.size() == 2;
    const std::string wanted = axis.empty() ? "B" : job_.batch_first ? "B," + axis : axis + ",B";
    const std::string one = job_.batch_first ? "[1," + axis + ",I]" : "[" + axis + ",1,I]";
    return Error{ErrorCode::ShapeMismatch,
                 {path},
                 "shape mismatch: " + what + " must be f32[" + wanted + "," + std::to_string(size) + "] but is " +
                     to_string(tensor.shape) + (is_one ? "; reshape one sequence [" + axis + ",I] to " + one : "")};
  }
  if (!sequences_) sequences_ = tensor.shape[rank - 2];
  Shape wanted = {*sequences_, size};
  if (!axis.empty())
    wanted.insert(wanted.begin(),
                  job_.batch.times.try_emplace(axis, ir::Time{tensor.shape[0], {}}).first->second.steps);
  if (tensor.shape == wanted) return {};
  const auto in_file = [&](Shape shape) {
    if (rank == 3 && job_.batch_first) std::swap(shape[0], shape[1]);
    return shape;
  };
  return wrong_shape(path, what, in_file(wanted), in_file(tensor.shape));
}

// An input that is no sequence may lie as in the ONNX graph: [1,B,H] of a layer's initial state.
Tensor JobReader::from_graph(const NamedType& input, Tensor tensor) const {
  const auto is_it = [&](const GraphValue& value) { return (value.as.empty() ? value.name : value.as) == input.name; };
  const auto value = std::ranges::find_if(given_.graph.inputs, is_it);
  if (value == given_.graph.inputs.end()) return tensor;
  std::optional<Tensor> rows = rows_of(*value, tensor, elements(input.type));
  return rows && rows->shape[0] == sequences_.value_or(rows->shape[0]) ? std::move(*rows) : std::move(tensor);
}

Result<void> JobReader::read_named(const NamedType& input, const std::string& path) {
  Result<Tensor> tensor = input.type.is_sequence() ? read_sequence(path, input.name) : read_f32(path, input.name);
  if (!tensor) return tensor.error();
  if (!input.type.is_sequence() && tensor->shape.size() != 2) tensor = from_graph(input, std::move(*tensor));
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
  const Result<Tensor> x = read_sequence(path, "x");
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
    const std::string name = text.substr(0, equals);
    const NamedType* input = equals == std::string::npos ? nullptr : find_input(name);
    if (equals != std::string::npos && input == nullptr && is_state(name))
      return usage_error("--input", name + " is a state; give it by --state " + text);
    if (equals != std::string::npos && !input && text.find('/') > equals && !std::filesystem::exists(text)) {
      const std::vector<std::string> known = names_of(interface_.inputs);
      return usage_error("--input", interface_.name + " has no input " + name + "; its inputs are: " + join(known) +
                                        ir::did_you_mean(name, known));
    }
    if (input && has(*input)) return usage_error("--input", input->name + " is given twice");
    const auto read = input ? read_named(*input, text.substr(equals + 1)) : read_x(text);
    if (!read) return read;
  }
  const auto is_given = [&](const NamedType& input) { return has(input); };
  const bool by_name = std::ranges::any_of(interface_.in_x(), is_given);
  for (const NamedType& input : interface_.inputs)
    if (!has(input))
      return usage_error(
          "--input", input.name + " of type " + input.type.to_string() + " is missing; give " +
                         (input.type.axis == ir::kTime && !by_name ? "x.npy" : input.name + "=" + input.name + ".npy"));
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
  const Result<Steps> steps = parse_steps(flags_.steps, interface_);
  if (!steps) return steps.error();
  for (const auto& [name, count] : *steps) {
    if (!job_.batch.times.try_emplace(name, ir::Time{count, {}}).second)
      return usage_error("--steps " + name, "an input tells how many steps there are");
  }
  for (const std::string& name : interface_.times)
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

// A file that fixes its sizes was exported for them. Other sizes are most often sequences in another layout, of which
// nobody would be told. A graph that is called for each step of a stream says nothing of how many steps and streams
// there are; but one step of several sequences, none of which goes on from a state, is most often one sequence.
Result<void> JobReader::check_fixed_sizes() {
  const ImportedGraph& graph = given_.graph;
  const auto time = job_.batch.times.find(std::string(ir::kTime));
  if (time == job_.batch.times.end()) return {};
  const std::int64_t steps = time->second.steps, sequences = job_.batch.sequences;
  const bool is_stream = is_called_each_step(graph, interface_);
  const bool is_one = steps == 1 && job_.states.empty();
  const std::int64_t fixed_steps = is_stream ? 0 : graph.steps;
  const std::int64_t fixed_sequences = is_stream && !is_one ? 0 : graph.sequences;
  const auto fits = [](std::int64_t fixed, std::int64_t given) { return fixed == 0 || fixed == given; };
  if (fits(fixed_steps, steps) && fits(fixed_sequences, sequences)) return {};
  const auto text = [](std::int64_t size, const char* what) {
    return size == 0 ? std::string("any number of ") + what + "s" : plural(size, what);
  };
  const bool swapped = fits(fixed_steps, sequences) && fits(fixed_sequences, steps);
  const std::string other = job_.batch_first ? "leave --layout btf out" : "add --layout btf";
  const std::string more = is_stream ? "; for one step of several sequences give the states that they go on from" : "";
  return Error{ErrorCode::ShapeMismatch,
               {},
               "shape mismatch: x is of " + text(steps, "step") + " and " + text(sequences, "sequence") +
                   ", but the model's file is of " + text(fixed_steps, "step") + " and " +
                   text(graph.sequences, "sequence") + "; " +
                   (swapped ? other + " if x lies so" + more
                            : "export it with dynamic axes, or make a model of any sizes of it by rnnc import")};
}

// An output of a file for one sequence has no place for those of the others.
Result<void> JobReader::check_graph_finals() {
  const std::int64_t sequences = job_.batch.sequences;
  for (const auto& [name, final] : job_.graph_finals) {
    const GraphValue& value = final.first;
    const auto has_sequences = [](const auto& dim) { return std::ranges::count(dim, GraphValue::kSequences) > 0; };
    if (sequences == 1 || std::ranges::any_of(value.dims, has_sequences)) continue;
    std::set<std::string> states;
    for (const auto& [state, index] : value.elements) states.insert(state);
    return Error{ErrorCode::ShapeMismatch,
                 {},
                 final_flag() + " " + name + ": the file has it for one sequence, and x is of " +
                     std::to_string(sequences) + "; ask for " + join(states) + " instead, f32[B,H]"};
  }
  return {};
}

}  // namespace

OutputFile parse_output(const std::string& text) {
  const std::size_t equals = text.find('=');
  const bool is_named = equals != std::string::npos && equals != 0 && text.find('/') > equals;
  return is_named ? OutputFile{text.substr(0, equals), text.substr(equals + 1)} : OutputFile{"", text};
}

Result<Steps> parse_steps(const std::vector<std::string>& texts, const Interface& interface) {
  Result<Steps> steps = parse_sizes("--steps", texts);
  if (!steps) return steps;
  const std::vector<std::string> times(interface.times.begin(), interface.times.end());
  for (const auto& [name, count] : *steps)
    if (!interface.times.contains(name))
      return usage_error("--steps " + name, interface.name + " has no time of this name; " +
                                                (times.empty() ? "it has none" : "its times are: " + join(times)) +
                                                ir::did_you_mean(name, times));
  return steps;
}

Result<Steps> steps_of_times(const std::vector<std::string>& own, std::int64_t others, const Interface& interface) {
  Result<Steps> steps = parse_steps(own, interface);
  if (!steps) return steps;
  for (const std::string& name : interface.times) steps->try_emplace(name, others);
  return steps;
}

std::string written_path(const OutputFile& file) { return file.path == "-" ? "/dev/stdout" : file.path; }

Tensor with_first_axes_swapped(const Tensor& tensor) {
  const std::int64_t first = tensor.shape[0], second = tensor.shape[1];
  Tensor result{tensor.type, tensor.shape, std::vector<std::byte>(tensor.bytes.size())};
  std::swap(result.shape[0], result.shape[1]);
  const std::int64_t row = first * second == 0 ? 0 : std::ssize(tensor.bytes) / (first * second);
  for (std::int64_t a = 0; a < first; ++a)
    for (std::int64_t b = 0; b < second; ++b)
      std::copy_n(tensor.bytes.begin() + (a * second + b) * row, row, result.bytes.begin() + (b * first + a) * row);
  return result;
}

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

}  // namespace rnnc::tools
