#include "runtime/program.hpp"

#if defined(__linux__)
#include <sched.h>
#endif

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "runtime/thread_pool.hpp"
#include "runtime/touch_code.hpp"

namespace rnnc {

using runtime::Description;
using runtime::StateContent;
using runtime::StateInfo;

namespace runtime {
namespace {

RunStatus check(const LoadedProgram& program, const RunArguments& arguments, const StateContent& state) noexcept {
  if (state.program.get() != &program) return RunStatus::WrongState;
  if (arguments.batch != state.batch) return RunStatus::BatchMismatch;
  if (arguments.steps < 0) return RunStatus::NegativeSteps;
  if (arguments.steps == 0 || arguments.batch == 0) return RunStatus::Ok;
  const bool needs_x = program.cell.description.input_size > 0;
  if ((needs_x && !arguments.x) || !arguments.y) return RunStatus::MissingPointer;
  if (arguments.lengths)
    for (std::int64_t b = 0; b < arguments.batch; ++b)
      if (arguments.lengths[b] < 0 || arguments.lengths[b] > arguments.steps) return RunStatus::BadLength;
  return RunStatus::Ok;
}

void run_cell(const LoadedProgram& program, const RunArguments& arguments, StateContent& state) noexcept {
  KernelArguments kernel = kernel_arguments(program.cell, state.cell);
  kernel.x = arguments.x;
  kernel.y = arguments.y;
  kernel.steps = arguments.steps;
  run_kernel(program.cell, program.threads, kernel, state.cell.flags);
  if (arguments.steps % 2 == 1) state.cell.current = 1 - state.cell.current;
}

// Where a state is: in that of a cell, or of one of a network's calls.
struct Found {
  const StateInfo* info = nullptr;
  const Description* description = nullptr;
  const CellState* state = nullptr;

  float* row(std::int64_t b) const { return state->row(*info, *description, b); }
};

// The i-th of all.
Found found_state(const StateContent& content, std::size_t i) {
  const LoadedProgram& program = *content.program;
  const Description& all = program.cell.description;
  if (!program.network) return {&all.states[i], &all, &content.cell};
  const NetworkStateInfo& info = program.network->states[i];
  const auto call = static_cast<std::size_t>(info.call);
  const Description& cell = std::get<CellCall>(program.network->calls[call]).cell->description;
  return {&cell.states[static_cast<std::size_t>(info.state)], &cell, &content.network->calls[call].cell};
}

Found find_state(const StateContent& content, const std::string& name) {
  const std::vector<StateInfo>& states = content.program->cell.description.states;
  for (std::size_t i = 0; i < states.size(); ++i)
    if (states[i].tensor.name == name) return found_state(content, i);
  return {};
}

Error unknown_state(const StateContent& content, const std::string& name) {
  const LoadedProgram& program = *content.program;
  std::string known;
  for (const StateInfo& info : program.cell.description.states) known += (known.empty() ? "" : ", ") + info.tensor.name;
  return {ErrorCode::Name,
          {},
          (program.network ? "network " : "cell ") + program.cell.description.cell + " has no state " + name +
              "; its states are: " + known,
          {}};
}

Port port_of(const TensorInfo& tensor) { return {tensor.name, tensor.shape}; }

// On how many CPUs the threads that this one starts may run.
int cpus_of_this_thread() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

Result<Program> finish(LoadedProgram loaded) try {
  Threads& threads = loaded.threads;
  threads.useful = threads.executor ? threads.count : std::min(threads.count, cpus_of_this_thread());
  if (loaded.threads.count > 1 && !loaded.threads.executor)
    loaded.threads.executor = std::make_shared<ThreadPool>(loaded.threads.count - 1);
  return Program(std::make_shared<const LoadedProgram>(std::move(loaded)));
} catch (const std::system_error& error) {
  return Error{
      ErrorCode::Limit, {}, "cannot start " + std::to_string(loaded.threads.count) + " threads: " + error.what(), {}};
}

}  // namespace

std::size_t count_states(const StateContent& content) { return content.program->cell.description.states.size(); }

std::span<float> state_row(const StateContent& content, std::size_t state, std::int64_t b) {
  const Found found = found_state(content, state);
  return {found.row(b), static_cast<std::size_t>(found.info->size)};
}

Result<Program> load_program(Description description, Code code, const TensorMap& weights, Threads threads) {
  Result<LoadedCell> cell = load_cell(std::move(description), std::move(code), weights);
  if (!cell) return cell.error();
  return finish({std::move(*cell), std::move(threads), nullptr});
}

Result<Program> make_program(Description description, RunKernel run, std::shared_ptr<void> code, AlignedBuffer weights,
                             Threads threads) {
  return finish(
      {{std::move(description), std::move(weights), {run, nullptr, std::move(code)}}, std::move(threads), nullptr});
}

Result<Program> load_network(Description description, LoadedNetwork network, Threads threads) {
  if (threads.count > 1) add_wavefronts(network);
  // Ahead of the braces: where one of them throws, gcc 12 destroys what stands before it twice.
  auto owned = std::make_unique<const LoadedNetwork>(std::move(network));
  return finish({{std::move(description), {}, {}}, std::move(threads), std::move(owned)});
}

}  // namespace runtime

namespace {
constexpr std::int64_t kMost = std::int64_t{1} << 31;  // keeps every size within 64 bits
}

State::State(std::unique_ptr<StateContent> content) : content_(std::move(content)) {}
State::State(State&&) noexcept = default;
State& State::operator=(State&&) noexcept = default;
State::~State() = default;

std::int64_t State::batch() const noexcept { return content_->batch; }
std::int64_t State::max_steps() const noexcept { return content_->network ? content_->network->max_steps : kMost; }

void State::reset() noexcept {
  content_->cell.reset();
  if (!content_->network) return;
  runtime::start_sequences(*content_->program->network, *content_->network, 0, content_->batch);
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
  for (const auto& input : loaded_->cell.description.inputs) ports.push_back(runtime::port_of(input));
  return ports;
}

std::vector<Port> Program::states() const {
  std::vector<Port> ports;
  for (const StateInfo& state : loaded_->cell.description.states) ports.push_back(runtime::port_of(state.tensor));
  return ports;
}

std::vector<NamedPort> Program::named_inputs() const {
  return loaded_->network ? loaded_->network->inputs : std::vector<NamedPort>();
}

std::string Program::output_time() const {
  if (!loaded_->network) return "T";
  const int time = loaded_->network->output_time;
  return time == runtime::kNoTime ? "" : loaded_->network->times[static_cast<std::size_t>(time)];
}

std::int64_t Program::input_size() const noexcept { return loaded_->cell.description.input_size; }
std::int64_t Program::output_size() const noexcept { return loaded_->cell.description.output_size; }
std::string Program::cell() const { return loaded_->cell.description.cell; }
std::string Program::cpu() const { return loaded_->cell.description.cpu; }

State Program::make_state(std::int64_t batch, std::int64_t max_steps) const {
  if (batch < 0 || batch > kMost) throw std::length_error("make_state: batch is negative or absurd");
  if (max_steps < 0 || max_steps > kMost) throw std::length_error("make_state: max_steps is negative or absurd");
  runtime::touch_code();
  auto content = std::make_unique<StateContent>();
  content->program = loaded_;
  content->batch = batch;
  if (loaded_->network) {
    content->network = make_network_state(*loaded_->network, batch, max_steps, loaded_->threads.count);
    return State(std::move(content));
  }
  const Description& description = loaded_->cell.description;
  content->cell = runtime::CellState(description, batch, loaded_->threads.count);
  const std::int64_t rows = content->cell.chunk_steps * batch;
  content->ragged.timeline = runtime::Timeline(batch);
  content->ragged.in_place = runtime::AlignedBuffer(batch * description.in_place_row);
  content->ragged.x = runtime::AlignedBuffer(rows * description.input_size);
  content->ragged.y = runtime::AlignedBuffer(rows * description.output_size);
  return State(std::move(content));
}

std::int64_t Program::state_bytes(std::int64_t batch, std::int64_t max_steps) const noexcept {
  if (loaded_->network) return network_state_bytes(*loaded_->network, batch, max_steps);
  return runtime::state_bytes(loaded_->cell.description, batch) +
         runtime::ragged_bytes(loaded_->cell.description, batch);
}

std::int64_t Program::weights_bytes() const noexcept {
  std::int64_t floats = loaded_->cell.description.weights_size;
  if (loaded_->network)
    for (const runtime::NetworkCall& call : loaded_->network->calls)
      if (const auto* cell = std::get_if<runtime::CellCall>(&call)) floats += cell->cell->weights.size();
  return runtime::bytes_of(runtime::kRowFormat, floats);
}

Result<void> Program::streams() const {
  if (!loaded_->network || loaded_->network->no_streaming.empty()) return {};
  return Error{ErrorCode::Unsupported, {}, loaded_->network->no_streaming, {}};
}

RunStatus Program::run(const RunArguments& arguments) const noexcept {
  StateContent& state = *arguments.state.content_;
  if (loaded_->network) [[unlikely]] {
    if (state.program != loaded_) return RunStatus::WrongState;
    return run_network(*loaded_->network, loaded_->threads, arguments, *state.network);
  }
  const RunStatus status = runtime::check(*loaded_, arguments, state);
  if (status != RunStatus::Ok || arguments.steps == 0 || arguments.batch == 0) return status;
  if (arguments.lengths)
    runtime::run_lengths(*loaded_, arguments, state);
  else
    runtime::run_cell(*loaded_, arguments, state);
  return status;
}

RunStatus Program::step(State& state, const float* x, float* y) const noexcept {
  if (loaded_->network && !loaded_->network->no_streaming.empty()) return RunStatus::NoStreaming;
  return run({.x = x, .y = y, .steps = 1, .batch = state.batch(), .state = state});
}

}  // namespace rnnc
