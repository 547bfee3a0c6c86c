// A network has inputs of its own: sequences, side by side in x or one by one by name, and vectors, by name.
#include "tools/run_network.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "ir/interpret_network.hpp"
#include "ir/scan.hpp"
#include "ir/syntax.hpp"
#include "tools/exit_code.hpp"
#include "tools/network_sequence.hpp"
#include "tools/outputs.hpp"
#include "tools/read_data.hpp"

namespace rnnc::tools {
namespace {

class NetworkRun {
 public:
  NetworkRun(const RunFlags& flags, const ir::Network& network, const Source& source)
      : flags_(flags), network_(network), source_(source) {}

  Result<int> run() {
    for (const auto step : {&NetworkRun::read_states, &NetworkRun::read_inputs, &NetworkRun::read_steps,
                            &NetworkRun::read_lengths, &NetworkRun::check_memory_needed})
      if (const Result<void> done = (this->*step)(); !done) return done.error();
    Result<SequenceResult> result = compute();
    return result ? write(std::move(*result)) : Result<int>(result.error());
  }

 private:
  static ir::Vector widened(const Tensor& tensor) {
    const std::vector<float> values = tensor.to_f32();
    return {values.begin(), values.end()};
  }

  Result<void> read_states();
  Result<void> read_inputs();
  Result<void> read_x(const std::string& path);
  Result<void> read_named(const ir::Node& input, const std::string& path);
  Result<void> keep_sizes(const std::string& path, const std::string& what, const Tensor& tensor,
                          const std::string& axis);
  Result<void> read_steps();
  Result<void> read_lengths();
  Result<void> check_memory_needed();
  Result<SequenceResult> compute();
  Result<int> write(SequenceResult result);

  Shape shape_of(const ir::Type& type) const {
    if (!type.is_sequence()) return {*sequences_, elements(type)};
    return {batch_.times.at(type.axis).steps, *sequences_, elements(type)};
  }
  const ir::Node* find_input(const std::string& name) const {
    for (const ir::Node& node : network_.nodes)
      if (node.op == ir::Op::Input && node.name == name) return &node;
    return nullptr;
  }

  const RunFlags& flags_;
  const ir::Network& network_;
  const Source& source_;
  std::vector<NamedSize> state_sizes_;
  Assignments final_states_;
  std::optional<std::int64_t> sequences_;
  ir::NetworkBatch batch_;
  ir::NamedVectors states_;
};

Result<void> NetworkRun::read_states() {
  const std::set<std::string> own = ir::begun_by_inputs(network_);
  state_sizes_ = interface_of(network_).states;
  Result<Assignments> final_states = parse_assignments("--final-state", flags_.final_states, "f.npy");
  if (!final_states) return final_states.error();
  final_states_ = std::move(*final_states);
  for (const auto& [name, path] : final_states_)
    if (const auto found = find_state("--final-state", name, state_sizes_); !found) return found.error();
  const Result<Assignments> files = parse_assignments("--state", flags_.states, "s.npy");
  if (!files) return files.error();
  for (const auto& [name, tensor] : source_.states) {
    if (!sequences_) sequences_ = tensor.shape[0];
    if (tensor.shape[0] != *sequences_)
      return usage_error("--state", "the states are of " + std::to_string(*sequences_) + " and of " +
                                        std::to_string(tensor.shape[0]) + " sequences");
    states_[name] = widened(tensor);
  }
  for (const auto& [name, path] : *files) {
    if (std::ranges::find(source_.graph_inputs, name) != source_.graph_inputs.end()) continue;  // the importer's
    const Result<NamedSize> state = find_state("--state", name, state_sizes_);
    if (!state) return state.error();
    if (own.contains(name))
      return usage_error("--state " + name, "the network begins it with a value that depends on its inputs");
    const Result<Tensor> tensor = read_f32(path, "state " + name);
    if (!tensor) return tensor.error();
    const std::int64_t sequences = tensor->shape.empty() ? 0 : tensor->shape[0];
    if (!sequences_) sequences_ = sequences;
    const Shape wanted = {*sequences_, state->size};
    if (tensor->shape != wanted) return wrong_shape(path, "state " + name, wanted, tensor->shape);
    states_[name] = widened(*tensor);
  }
  return {};
}

// What the first file tells about steps and sequences is what the others must have.
Result<void> NetworkRun::keep_sizes(const std::string& path, const std::string& what, const Tensor& tensor,
                                    const std::string& axis) {
  const std::size_t rank = axis.empty() ? 2 : 3;
  if (tensor.shape.size() != rank)
    return Error{ErrorCode::ShapeMismatch,
                 {path},
                 "shape mismatch: " + what + " must be f32" + (axis.empty() ? "[B,I]" : "[" + axis + ",B,I]") +
                     " but is " + to_string(tensor.shape),
                 {}};
  Shape wanted = tensor.shape;
  if (!sequences_) sequences_ = wanted[rank - 2];
  wanted[rank - 2] = *sequences_;
  if (!axis.empty()) wanted[0] = batch_.times.try_emplace(axis, ir::Time{wanted[0], {}}).first->second.steps;
  if (tensor.shape != wanted) return wrong_shape(path, what, wanted, tensor.shape);
  return {};
}

Result<void> NetworkRun::read_named(const ir::Node& input, const std::string& path) {
  const Result<Tensor> tensor = read_f32(path, input.name);
  if (!tensor) return tensor.error();
  if (const auto kept = keep_sizes(path, input.name, *tensor, input.type.axis); !kept) return kept;
  if (const Shape wanted = shape_of(input.type); tensor->shape != wanted)
    return wrong_shape(path, input.name, wanted, tensor->shape);
  batch_.inputs[input.name] = widened(*tensor);
  return {};
}

// All sequences that have no name of their own for their time, side by side.
Result<void> NetworkRun::read_x(const std::string& path) {
  std::vector<const ir::Node*> parts;
  std::int64_t width = 0;
  for (const ir::Node& node : network_.nodes) {
    if (node.op != ir::Op::Input || node.type.axis != ir::kTime) continue;
    parts.push_back(&node);
    width += elements(node.type);
  }
  if (parts.empty())
    return usage_error("--input",
                       "network " + network_.name + " has no input of type seq; give others as NAME=" + path);
  const Result<Tensor> x = read_f32(path, "x");
  if (!x) return x.error();
  if (const auto kept = keep_sizes(path, "x", *x, std::string(ir::kTime)); !kept) return kept;
  Shape wanted = x->shape;
  wanted[2] = width;
  if (x->shape != wanted) return wrong_shape(path, "x", wanted, x->shape);
  const ir::Vector values = widened(*x);
  for (auto row = values.begin(); row != values.end();) {
    for (const ir::Node* part : parts) {
      ir::Vector& to = batch_.inputs[part->name];
      to.insert(to.end(), row, row + elements(part->type));
      row += elements(part->type);
    }
  }
  for (const ir::Node* part : parts) batch_.inputs[part->name];  // also where there are no rows
  return {};
}

Result<void> NetworkRun::read_inputs() {
  for (const std::string& text : flags_.inputs) {
    const std::size_t equals = text.find('=');
    const ir::Node* input = equals == std::string::npos ? nullptr : find_input(text.substr(0, equals));
    if (input && batch_.inputs.count(input->name) != 0) return usage_error("--input", input->name + " is given twice");
    const auto read = input ? read_named(*input, text.substr(equals + 1)) : read_x(text);
    if (!read) return read;
  }
  for (const ir::Node& node : network_.nodes) {
    if (node.op != ir::Op::Input || batch_.inputs.count(node.name) != 0) continue;
    const bool in_x = node.type.axis == ir::kTime;
    return usage_error("--input", node.name + " of type " + node.type.to_string() + " is missing; give " +
                                      (in_x ? "x.npy" : node.name + "=" + node.name + ".npy"));
  }
  if (!sequences_) sequences_ = 1;
  batch_.sequences = *sequences_;
  return {};
}

Result<void> NetworkRun::read_steps() {
  const std::vector<std::string> times = ir::times_of(network_);
  const Result<std::map<std::string, std::int64_t>> steps = parse_sizes("--steps", flags_.steps);
  if (!steps) return steps.error();
  for (const auto& [name, count] : *steps) {
    if (std::ranges::find(times, name) == times.end())
      return usage_error("--steps " + name,
                         "network " + network_.name + " has no time of this name" + ir::did_you_mean(name, times));
    if (!batch_.times.try_emplace(name, ir::Time{count, {}}).second)
      return usage_error("--steps " + name, "an input tells how many steps there are");
  }
  for (const std::string& name : times)
    if (batch_.times.count(name) == 0)
      return usage_error("--steps", "missing; network " + network_.name + " runs for " + name +
                                        " steps, which no input tells; give " + name + "=20, say");
  return {};
}

Result<void> NetworkRun::read_lengths() {
  if (!source_.lengths.empty()) {
    ir::Time& time = batch_.times.at(std::string(ir::kTime));
    const std::int32_t longest = *std::ranges::max_element(source_.lengths);
    if (static_cast<std::int64_t>(source_.lengths.size()) != *sequences_ || longest > time.steps)
      return Error{ErrorCode::ShapeMismatch,
                   {},
                   "shape mismatch: the lengths of the model are for " + std::to_string(source_.lengths.size()) +
                       " sequences of up to " + std::to_string(longest) + " steps, but x is of " +
                       std::to_string(*sequences_) + " of " + std::to_string(time.steps),
                   {}};
    time.lengths.assign(source_.lengths.begin(), source_.lengths.end());
  }
  for (const std::string& text : flags_.lengths) {
    const std::size_t equals = text.find('=');
    const bool named = equals != std::string::npos && batch_.times.count(text.substr(0, equals)) != 0;
    const std::string name = named ? text.substr(0, equals) : std::string(ir::kTime);
    const auto time = batch_.times.find(name);
    if (time == batch_.times.end())
      return usage_error("--lengths", "network " + network_.name + " has no sequence of time " + name);
    const auto lengths = tools::read_lengths(named ? text.substr(equals + 1) : text, time->second.steps, *sequences_);
    if (!lengths) return lengths.error();
    time->second.lengths.assign(lengths->begin(), lengths->end());
  }
  return {};
}

// The interpreter keeps every value of every step, and the compiled network no more than that.
Result<void> NetworkRun::check_memory_needed() {
  return check_memory(value_bytes(network_, batch_), "the network's values");
}

Result<SequenceResult> NetworkRun::compute() {
  if (flags_.model.backend == "interpret") return run_interpreted(network_, source_.weights, batch_, states_);
  const Result<Program> program = compile(source_, flags_.model, flags_.threads);
  if (!program) return program.error();
  return run_compiled(*program, network_, batch_, states_);
}

Result<int> NetworkRun::write(SequenceResult result) {
  const Shape shape = shape_of(network_[network_.output()].type);
  std::vector<Output> outputs = {{"--output", flags_.output, Tensor::from_f32(shape, std::move(result.y))}};
  for (const NamedSize& state : state_sizes_) {
    const auto wanted = final_states_.find(state.name);
    if (wanted == final_states_.end()) continue;
    outputs.push_back({"--final-state " + state.name, wanted->second,
                       Tensor::from_f32({*sequences_, state.size}, std::move(result.states.at(state.name)))});
  }
  if (const auto written = write_outputs(outputs); !written) return written.error();
  return kOk;
}

}  // namespace

Result<int> run_network(const RunFlags& flags, const Source& source) {
  const Result<ir::Network> network = bind_network(source);
  if (!network) return network.error();
  if (const auto checked = check_weights(*network, source.weights); !checked)
    return about_weights(checked.error(), source);
  return NetworkRun(flags, *network, source).run();
}

}  // namespace rnnc::tools
