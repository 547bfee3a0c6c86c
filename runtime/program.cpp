#include "runtime/program.hpp"

#if defined(__linux__)
#include <sched.h>
#endif

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <rnnc/join.hpp>

#include "runtime/thread_pool.hpp"
#include "runtime/touch_code.hpp"

namespace rnnc {

using runtime::Description;
using runtime::StateContent;
using runtime::StateInfo;

namespace runtime {
namespace {

// Checks the arguments of a direct scan, which needs only x, y and its state.
RunStatus check_direct(const LoadedProgram& program, const RunArguments& arguments,
                       const StateContent& state) noexcept {
  if (arguments.batch != state.batch) return RunStatus::BatchMismatch;
  if (arguments.steps < 0) return RunStatus::NegativeSteps;
  if (arguments.steps == 0 || arguments.batch == 0) return RunStatus::Ok;
  const bool needs_x = program.description.input_size > 0;
  return (needs_x && !arguments.x) || !arguments.y ? RunStatus::MissingPointer : RunStatus::Ok;
}

// Tells whether x and y of a call are all that it hands over, and all sequences are of one length.
bool is_plain(const RunArguments& arguments, std::int64_t batch) noexcept {
  if (!arguments.inputs.empty() || !arguments.times.empty()) return false;
  if (!arguments.lengths) return true;
  return arguments.batch == batch && std::all_of(arguments.lengths, arguments.lengths + batch,
                                                 [&](std::int32_t length) { return length == arguments.steps; });
}

void run_direct(const LoadedProgram& program, const float* x, float* y, std::int64_t steps, CellState& state) noexcept {
  const KernelFloatMode mode;
  const LoadedCell& cell = *program.network.direct;
  KernelArguments kernel = kernel_arguments(cell, state);
  kernel.x = x;
  kernel.y = y;
  kernel.steps = steps;
  run_kernel(cell, program.threads, kernel, state.flags);
  if (steps % 2 == 1) state.current = 1 - state.current;
}

// A state of one of the cells, found by its name.
struct Found {
  const StateInfo* info = nullptr;
  const Description* description = nullptr;
  const CellState* state = nullptr;

  float* row(std::int64_t b) const { return state->row(*info, *description, b); }
};

Found found_state(const StateContent& content, std::size_t i) {
  const LoadedNetwork& network = content.program->network;
  const NamedState& named = network.list.states[i];
  const Description& description = network.cell(named.cell).description;
  return {&description.states[static_cast<std::size_t>(named.state)], &description,
          &content.network->cells[static_cast<std::size_t>(named.cell)].state};
}

Found find_state(const StateContent& content, const std::string& name) {
  const std::vector<NamedState>& states = content.program->network.list.states;
  for (std::size_t i = 0; i < states.size(); ++i)
    if (states[i].name == name) return found_state(content, i);
  return {};
}

Error unknown_state(const StateContent& content, const std::string& name) {
  const LoadedProgram& program = *content.program;
  const std::string known = join(program.network.list.states, &NamedState::name);
  return {ErrorCode::Name, {}, program.description.cell + " has no state " + name + "; its states are: " + known, {}};
}

Port port_of(const TensorInfo& tensor) { return {tensor.name, tensor.shape}; }

// Returns the number of CPUs on which the threads that this one starts may run.
int cpus_of_this_thread() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

std::size_t count_states(const StateContent& content) { return content.program->network.list.states.size(); }

std::span<float> state_row(const StateContent& content, std::size_t state, std::int64_t b) {
  const Found found = found_state(content, state);
  return {found.row(b), static_cast<std::size_t>(found.info->size)};
}

Result<Program> load_program(Description description, LoadedNetwork network, Threads threads) try {
  threads.useful = threads.executor ? threads.count : std::min(threads.count, cpus_of_this_thread());
  if (threads.count > 1 && !threads.executor) threads.executor = std::make_shared<ThreadPool>(threads.count - 1);
  if (threads.count > 1) add_wavefronts(network);
  if (is_direct(network.list)) network.direct = network.cells[0].get();
  auto loaded = std::make_shared<LoadedProgram>();
  loaded->description = std::move(description);
  loaded->network = std::move(network);
  loaded->threads = std::move(threads);
  return Program(std::move(loaded));
} catch (const std::system_error& error) {
  return Error{ErrorCode::Limit, {}, "cannot start " + std::to_string(threads.count) + " threads: " + error.what(), {}};
}

}  // namespace runtime

namespace {
constexpr std::int64_t kMost = std::int64_t{1} << 31;  // with this limit every size fits in 64 bits
}

State::State(std::unique_ptr<StateContent> content) : content_(std::move(content)) {}
State::State(State&&) noexcept = default;
State& State::operator=(State&&) noexcept = default;
State::~State() = default;

std::int64_t State::batch() const noexcept { return content_->batch; }
std::int64_t State::max_steps() const noexcept {
  return content_->program->network.list.pieces_of != runtime::kNoTime ? kMost : content_->network->max_steps;
}

void State::reset() noexcept {
  runtime::start_sequences(content_->program->network, *content_->network, 0, content_->batch);
}

Result<void> State::set(const std::string& name, std::span<const float> values) {
  const runtime::Found found = runtime::find_state(*content_, name);
  if (!found.info) return runtime::unknown_state(*content_, name);
  const std::int64_t size = found.info->size;
  if (static_cast<std::int64_t>(values.size()) != content_->batch * size)
    return Error{ErrorCode::ShapeMismatch,
                 {},
                 "shape mismatch: state " + name + " of batch " + std::to_string(content_->batch) + " takes " +
                     std::to_string(content_->batch * size) + " elements but got " + std::to_string(values.size()),
                 {}};
  for (std::int64_t b = 0; b < content_->batch; ++b) std::copy_n(values.data() + b * size, size, found.row(b));
  return {};
}

Result<std::vector<float>> State::get(const std::string& name) const {
  const runtime::Found found = runtime::find_state(*content_, name);
  if (!found.info) return runtime::unknown_state(*content_, name);
  const std::int64_t size = found.info->size;
  std::vector<float> values(static_cast<std::size_t>(content_->batch * size));
  for (std::int64_t b = 0; b < content_->batch; ++b) std::copy_n(found.row(b), size, values.data() + b * size);
  return values;
}

std::vector<Port> Program::inputs() const {
  std::vector<Port> ports;
  for (const auto& input : loaded_->description.inputs) ports.push_back(runtime::port_of(input));
  return ports;
}

std::vector<Port> Program::states() const {
  std::vector<Port> ports;
  for (const StateInfo& state : loaded_->description.states) ports.push_back(runtime::port_of(state.tensor));
  return ports;
}

std::vector<NamedPort> Program::named_inputs() const { return loaded_->network.list.inputs; }

std::string Program::output_time() const {
  const runtime::StepList& list = loaded_->network.list;
  return list.output_time == runtime::kNoTime ? "" : list.times[static_cast<std::size_t>(list.output_time)];
}

std::int64_t Program::input_size() const noexcept { return loaded_->description.input_size; }
std::int64_t Program::output_size() const noexcept { return loaded_->description.output_size; }
std::string Program::name() const { return loaded_->description.cell; }
std::string Program::cell() const { return name(); }
std::string Program::cpu() const { return loaded_->description.cpu; }

State Program::make_state(std::int64_t batch, std::int64_t max_steps) const {
  if (batch < 0 || batch > kMost) throw std::length_error("make_state: batch is negative or absurd");
  if (max_steps < 0 || max_steps > kMost) throw std::length_error("make_state: max_steps is negative or absurd");
  runtime::touch_code();
  auto content = std::make_unique<StateContent>();
  content->program = loaded_;
  content->batch = batch;
  content->network = make_network_state(loaded_->network, batch, max_steps, loaded_->threads.count);
  if (loaded_->network.direct) content->direct = &content->network->cells[0].state;
  return State(std::move(content));
}

std::int64_t Program::state_bytes(std::int64_t batch, std::int64_t max_steps) const noexcept {
  return network_state_bytes(loaded_->network, batch, max_steps);
}

std::int64_t Program::weights_bytes() const noexcept {
  std::int64_t floats = 0;
  for (const auto& cell : loaded_->network.cells) floats += cell->weights.size();
  return runtime::bytes_of(runtime::kRowFormat, floats);
}

Result<void> Program::streams() const {
  const std::string& why_not = loaded_->network.list.no_streaming;
  if (why_not.empty()) return {};
  return Error{ErrorCode::Unsupported, {}, why_not, {}};
}

RunStatus Program::run(const RunArguments& arguments) const noexcept {
  StateContent& state = *arguments.state.content_;
  if (state.program != loaded_) return RunStatus::WrongState;
  if (!state.direct || !runtime::is_plain(arguments, state.batch)) [[unlikely]]
    return run_network(loaded_->network, loaded_->threads, arguments, *state.network);
  const RunStatus status = runtime::check_direct(*loaded_, arguments, state);
  if (status == RunStatus::Ok && arguments.steps > 0 && arguments.batch > 0)
    runtime::run_direct(*loaded_, arguments.x, arguments.y, arguments.steps, *state.direct);
  return status;
}

// A direct scan, which a real-time thread steps from sample to sample, needs none of what run() looks at.
RunStatus Program::step(State& state, const float* x, float* y) const noexcept {
  StateContent& content = *state.content_;
  if (!content.direct || content.program != loaded_) [[unlikely]] {
    if (!loaded_->network.list.no_streaming.empty()) return RunStatus::NoStreaming;
    return run({.x = x, .y = y, .steps = 1, .batch = state.batch(), .state = state});
  }
  if (content.batch == 0) return RunStatus::Ok;
  if ((!x && loaded_->description.input_size > 0) || !y) return RunStatus::MissingPointer;
  runtime::run_direct(*loaded_, x, y, 1, *content.direct);
  return RunStatus::Ok;
}

}  // namespace rnnc
