#include "extensions/onnxruntime/kernel.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "extensions/load_program.hpp"

namespace rnnc::onnxruntime {
namespace {

Program compiled(const OrtApi& api, const Node& node) {
  Result<Program> program = extensions::load_program(node.source);
  if (!program) refuse(api, ORT_INVALID_GRAPH, message_of(node.name, program.error().to_string()));
  return std::move(*program);
}

std::int64_t size_of(const Port& port) {
  std::int64_t size = 1;
  for (const std::int64_t dim : port.shape) size *= dim;
  return size;
}

}  // namespace

Kernel::Kernel(const OrtApi& api, const OrtKernelInfo& info) : Kernel(api, read_node(api, info)) {}

Kernel::Kernel(const OrtApi& api, const Node& node)
    : api_(api), node_(node.name), weights_(node.weights), program_(compiled(api, node)), states_(program_.states()) {
  check_program();
}

void Kernel::refuse(const std::string& message) const {
  onnxruntime::refuse(api_, ORT_INVALID_ARGUMENT, message_of(node_, message));
}

void Kernel::check_program() const {
  for (const NamedPort& input : program_.named_inputs())
    refuse("the network has the input " + input.port.name +
           ", which is not of each step; the operator has one input, x");
  if (const std::string time = program_.output_time(); !time.empty() && time != "T")
    refuse("the output of the network is over the time " + time + "; the operator knows the time T alone");
}

Values Kernel::input(OrtKernelContext& context, std::size_t index) const {
  const OrtValue* value = nullptr;
  check(api_.KernelContext_GetInput(&context, index, &value));
  return values_of(api_, value);
}

float* Kernel::output(OrtKernelContext& context, std::size_t index, const std::vector<std::int64_t>& shape) const {
  OrtValue* value = nullptr;
  check(api_.KernelContext_GetOutput(&context, index, shape.data(), shape.size(), &value));
  if (value == nullptr) return nullptr;  // the node leaves the output out
  void* data = nullptr;
  check(api_.GetTensorMutableData(value, &data));
  return static_cast<float*>(data);
}

std::vector<std::int64_t> Kernel::output_shape(std::int64_t steps, std::int64_t batch) const {
  if (program_.output_time().empty()) return {batch, program_.output_size()};
  return {steps, batch, program_.output_size()};
}

void Kernel::set_states(OrtKernelContext& context, State& state, std::size_t inputs) const {
  state.reset();
  for (std::size_t i = 0; i + kStates < inputs; ++i) {
    const Values given = input(context, kStates + i);
    if (given.data == nullptr) continue;
    if (i >= states_.size()) refuse(beyond_states(i, "gives"));
    const Shape wanted = {state.batch(), size_of(states_[i])};
    if (given.shape != wanted)
      refuse("the state " + states_[i].name + " is " + to_string(wanted) + ", and the node gives " +
             to_string(given.shape));
    const auto count = static_cast<std::size_t>(wanted[0] * wanted[1]);
    if (const Result<void> set = state.set(states_[i].name, {static_cast<const float*>(given.data), count}); !set)
      refuse(set.error().message);
  }
}

void Kernel::give_states(OrtKernelContext& context, const State& state) const {
  std::size_t outputs = 0;
  check(api_.KernelContext_GetOutputCount(&context, &outputs));
  for (std::size_t i = 0; i + kFinalStates < outputs; ++i) {
    const bool known = i < states_.size();
    float* const to = output(context, kFinalStates + i, {state.batch(), known ? size_of(states_[i]) : 0});
    if (to == nullptr) continue;
    if (!known) refuse(beyond_states(i, "asks for"));
    std::ranges::copy(state.get(states_[i].name).value(), to);
  }
}

std::string Kernel::beyond_states(std::size_t index, const std::string& does) const {
  std::string names;
  for (const Port& state : states_) names += (names.empty() ? "" : ", ") + state.name;
  return "the node " + does + " state " + std::to_string(index + 1) + ", and the model has " +
         (names.empty() ? "none" : "these: " + names);
}

// Takes a state that fits, or makes one in place of one that does not.
Kernel::Idle Kernel::take(std::int64_t batch, std::int64_t steps) {
  const std::int64_t max_steps = std::max<std::int64_t>(steps, 1);
  {
    const std::lock_guard lock(mutex_);
    const auto fitting = std::ranges::find_if(
        idle_, [&](const Idle& idle) { return idle.state.batch() == batch && idle.max_steps >= max_steps; });
    const auto taken = fitting == idle_.end() && !idle_.empty() ? idle_.begin() : fitting;
    if (taken != idle_.end()) {
      Idle idle = std::move(*taken);
      const bool fits = taken == fitting;
      idle_.erase(taken);
      if (fits) return idle;
    }
  }
  Result<State> made = program_.try_make_state(batch, max_steps);
  if (!made) refuse(made.error().message);
  return {std::move(*made), max_steps};
}

void Kernel::give_back(Idle idle) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(idle));
}

void Kernel::compute(OrtKernelContext& context) {
  std::size_t inputs = 0;
  check(api_.KernelContext_GetInputCount(&context, &inputs));
  inputs -= weights_;
  const Values x = input(context, kX);
  if (x.shape.size() != 3 || x.shape[2] != program_.input_size())
    refuse("x is [T,B," + std::to_string(program_.input_size()) + "], and the node gives " + to_string(x.shape));
  const std::int64_t steps = x.shape[0], batch = x.shape[1];
  const Values lengths = inputs > kLengths ? input(context, kLengths) : Values();
  if (lengths.data != nullptr && lengths.shape != Shape{batch})
    refuse("lengths is [" + std::to_string(batch) + "], as x has " + std::to_string(batch) +
           " sequences, and the node gives " + to_string(lengths.shape));
  Idle idle = take(batch, steps);
  set_states(context, idle.state, inputs);
  const std::vector<std::int64_t> shape = output_shape(steps, batch);
  float* const y = output(context, kY, shape);
  std::int64_t y_size = 1;
  for (const std::int64_t dim : shape) y_size *= dim;
  RunArguments arguments{.x = {static_cast<const float*>(x.data), static_cast<std::size_t>(steps * batch * x.shape[2])},
                         .y = {y, static_cast<std::size_t>(y_size)},
                         .steps = steps};
  if (lengths.data != nullptr)
    arguments.lengths = {static_cast<const std::int32_t*>(lengths.data), static_cast<std::size_t>(batch)};
  if (const RunStatus status = program_.run(idle.state, arguments); status != RunStatus::Ok) refuse(text(status));
  give_states(context, idle.state);
  give_back(std::move(idle));
}

}  // namespace rnnc::onnxruntime
