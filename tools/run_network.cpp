// A network has inputs of its own: sequences, side by side in x or one by one by name, and vectors, by name.
#include "tools/run_network.hpp"

#include <algorithm>
#include <optional>

#include "ir/interpret_network.hpp"
#include "ir/scan.hpp"
#include "tools/exit_code.hpp"
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
    if (flags_.backend == "interpret") return write(interpret());
    Result<std::vector<float>> y = run_compiled();
    return y ? write(std::move(*y)) : Result<int>(y.error());
  }

 private:
  static ir::Vector widened(const Tensor& tensor) {
    const std::vector<float> values = tensor.to_f32();
    return {values.begin(), values.end()};
  }
  static std::vector<float> narrowed(const ir::Vector& values) { return {values.begin(), values.end()}; }

  Result<void> read_states();
  Result<void> read_inputs();
  Result<void> read_x(const std::string& path);
  Result<void> read_named(const ir::Node& input, const std::string& path);
  Result<void> keep_sizes(const std::string& path, const std::string& what, const Tensor& tensor,
                          const std::string& axis);
  Result<void> read_steps();
  Result<void> read_lengths();
  Result<void> check_memory_needed();
  std::vector<float> interpret();
  Result<std::vector<float>> run_compiled();
  std::vector<float> rows_of_x() const;
  Result<int> write(std::vector<float> y);

  Shape shape_of(const ir::Type& type) const {
    if (!type.is_sequence()) return {*sequences_, elements(type)};
    return {batch_.times.at(type.axis).steps, *sequences_, elements(type)};
  }
  std::int64_t shape_elements(const ir::Type& type) const {
    std::int64_t product = 1;
    for (const std::int64_t size : shape_of(type)) product *= size;
    return product;
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
  std::vector<std::string> own;  // with a value that the network gives them
  for (const ir::Node& node : network_.nodes) {
    if (node.op != ir::Op::Scan) continue;
    for (const std::string& initial : node.scan->initial) own.push_back(node.name + "." + initial);
    const ir::Cell cell = ir::scan_cell(network_, node).value();
    for (const std::string& prefix : ir::scan_prefixes(node))
      for (const ir::Node& state : cell.nodes)
        if (state.op == ir::Op::State) state_sizes_.push_back({prefix + state.name, elements(state.type)});
  }
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
    if (std::ranges::find(own, name) != own.end())
      return usage_error("--state " + name, "the network begins it with a value of its own");
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
      return usage_error("--steps " + name, "network " + network_.name + " has no time of this name");
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
  double values = 0;
  for (const ir::Node& node : network_.nodes) {
    double rows = static_cast<double>(*sequences_);
    if (node.type.is_sequence()) rows *= static_cast<double>(batch_.times.at(node.type.axis).steps);
    if (node.op != ir::Op::Param) values += rows * static_cast<double>(elements(node.type));
  }
  return check_memory(8 * values, "the network's values");
}

std::vector<float> NetworkRun::interpret() {
  ir::NamedVectors weights;
  for (const auto& [name, tensor] : source_.weights) weights[name] = widened(tensor);
  return narrowed(ir::interpret(network_, weights, batch_, states_));
}

std::vector<float> NetworkRun::rows_of_x() const {
  std::vector<float> x;
  const auto time = batch_.times.find(std::string(ir::kTime));
  const std::int64_t rows = time == batch_.times.end() ? 0 : time->second.steps * *sequences_;
  for (std::int64_t row = 0; row < rows; ++row)
    for (const ir::Node& node : network_.nodes) {
      if (node.op != ir::Op::Input || node.type.axis != ir::kTime) continue;
      const auto from = batch_.inputs.at(node.name).begin() + row * elements(node.type);
      x.insert(x.end(), from, from + elements(node.type));
    }
  return x;
}

Result<std::vector<float>> NetworkRun::run_compiled() {
  const Result<Program> program = compile(source_, flags_.model, flags_.threads);
  if (!program) return program.error();
  std::int64_t most = 0, steps = 0;
  std::map<std::string, std::vector<std::int32_t>> lengths;
  std::vector<NamedTime> times;
  const auto data = [](const auto& values) { return values.empty() ? nullptr : values.data(); };
  for (const auto& [name, time] : batch_.times) {
    most = std::max(most, time.steps);
    lengths[name].assign(time.lengths.begin(), time.lengths.end());
    if (name == ir::kTime)
      steps = time.steps;
    else
      times.push_back({name, time.steps, data(lengths[name])});
  }
  std::map<std::string, std::vector<float>> values;
  std::vector<NamedInput> inputs;
  for (const NamedPort& input : program->named_inputs()) {
    values[input.port.name] = narrowed(batch_.inputs.at(input.port.name));
    inputs.push_back({values.find(input.port.name)->first, values[input.port.name].data()});
  }
  State state = program->make_state(*sequences_, most);
  for (const auto& [name, initial] : states_)
    if (const auto set = state.set(name, narrowed(initial)); !set) return set.error();
  const std::vector<float> x = rows_of_x();
  std::vector<float> y(static_cast<std::size_t>(shape_elements(network_[network_.output()].type)));
  const RunStatus status = program->run({.x = x.data(),
                                         .y = y.data(),
                                         .steps = steps,
                                         .batch = *sequences_,
                                         .state = state,
                                         .lengths = data(lengths[std::string(ir::kTime)]),
                                         .inputs = inputs,
                                         .times = times});
  if (status != RunStatus::Ok) return Error{ErrorCode::InvalidData, {}, text(status), {}};
  for (const NamedSize& each : state_sizes_) {
    const Result<std::vector<float>> final = state.get(each.name);
    if (!final) return final.error();
    states_[each.name].assign(final->begin(), final->end());
  }
  return y;
}

Result<int> NetworkRun::write(std::vector<float> y) {
  const Shape shape = shape_of(network_[network_.output()].type);
  std::vector<Output> outputs = {{"--output", flags_.output, Tensor::from_f32(shape, std::move(y))}};
  for (const NamedSize& state : state_sizes_) {
    const auto wanted = final_states_.find(state.name);
    if (wanted == final_states_.end()) continue;
    outputs.push_back({"--final-state " + state.name, wanted->second,
                       Tensor::from_f32({*sequences_, state.size}, narrowed(states_.at(state.name)))});
  }
  if (const auto written = write_outputs(outputs); !written) return written.error();
  return kOk;
}

}  // namespace

Result<int> run_network(const RunFlags& flags, const Source& source) {
  const Result<ir::Network> network = bind_network(source);
  if (!network) return network.error();
  if (const auto checked = check_weights(*network, source.weights); !checked) return checked.error();
  return NetworkRun(flags, *network, source).run();
}

}  // namespace rnnc::tools
