#include "runtime/program.hpp"

#if defined(__linux__)
#include <sched.h>
#endif

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <rnnc/join.hpp>

#include "runtime/memory_limit.hpp"
#include "runtime/thread_pool.hpp"
#include "runtime/touch_code.hpp"

namespace rnnc {

using runtime::CellWorkspace;
using runtime::Description;
using runtime::StateContent;
using runtime::StateInfo;

namespace runtime {
namespace {

// Tells whether x and y of a call are all that it hands over, and all sequences are of one length.
bool is_plain(const RunArguments& arguments, std::int64_t batch) noexcept {
  if (!arguments.inputs.empty() || !arguments.times.empty() || !arguments.outputs.empty()) return false;
  return arguments.lengths.empty() || (std::ssize(arguments.lengths) >= batch &&
                                       std::all_of(arguments.lengths.begin(), arguments.lengths.begin() + batch,
                                                   [&](std::int32_t length) { return length == arguments.steps; }));
}

// Runs the only scan of a program on the caller's memory, if the arguments allow it.
RunStatus run_direct(const LoadedProgram& program, const StateContent& state, CellWorkspace& workspace,
                     std::span<const float> x, std::span<float> y, std::int64_t steps) noexcept {
  const std::int64_t batch = state.batch;
  if (steps < 0) return RunStatus::NegativeSteps;
  if (steps == 0 || batch == 0) return RunStatus::Ok;
  const std::int64_t rows = floats_of(steps, batch);
  if (const RunStatus status = check_span(x, floats_of(rows, program.description.input_size)); status != RunStatus::Ok)
    return status;
  if (const RunStatus status = check_span(y, floats_of(rows, program.description.output_size)); status != RunStatus::Ok)
    return status;
  const KernelFloatMode mode;
  const LoadedCell& cell = *program.network.direct;
  float* const floats = state.floats();
  const std::int64_t doubled = batch * cell.description.doubled_row;
  KernelArguments kernel = kernel_arguments(cell, {floats, floats + whole_lines(doubled)}, workspace, batch);
  kernel.x = x.data();
  kernel.y = y.data();
  kernel.steps = steps;
  run_kernel(cell, program.threads, kernel, workspace.flags);
  // Lines of a fixed size are copied in place; a call that copies takes as long as many a short step's sums.
  for (std::int64_t i = 0; steps % 2 == 1 && i < doubled; i += kCacheLineFloats)
    std::memcpy(floats + i, kernel.next + i, kCacheLineBytes);
  return RunStatus::Ok;
}

// Finds the workspace of a call, which is the caller's or the state's own.
RunStatus find_workspace(const StateContent& state, const WorkspaceContent* given, NetworkWorkspace*& found) noexcept {
  const WorkspaceContent* const used = given ? given : state.workspace.get();
  if (!used) return RunStatus::NoWorkspace;
  if (used->program != state.program || used->network->batch < state.batch) return RunStatus::WrongWorkspace;
  found = used->network.get();
  return RunStatus::Ok;
}

// A state of one of the cells, found by its name.
struct Found {
  const StateInfo* info = nullptr;
  const Description* description = nullptr;
  CellRows rows = {};

  float* row(std::int64_t b) const { return rows.row(*info, *description, b); }
};

CellRows rows_of_cell(const StateContent& content, std::size_t cell) {
  const LoadedNetwork& network = content.program->network;
  float* const floats = content.floats() + network.places.floats_before(cell, content.batch);
  return {floats, floats + whole_lines(content.batch * network.cells[cell]->description.doubled_row)};
}

Found found_state(const StateContent& content, std::size_t i) {
  const LoadedNetwork& network = content.program->network;
  const NamedState& named = network.list.states[i];
  const Description& description = network.cell(named.cell).description;
  return {&description.states[static_cast<std::size_t>(named.state)], &description,
          rows_of_cell(content, static_cast<std::size_t>(named.cell))};
}

Found find_state(const StateContent& content, const std::string& name) {
  const LoadedNetwork& network = content.program->network;
  const auto found = network.places.find(name);
  return found ? found_state(content, *found) : Found{};
}

Error unknown_state(const StateContent& content, const std::string& name) {
  const LoadedProgram& program = *content.program;
  const std::string known = join(program.network.list.states, &NamedState::name);
  return {ErrorCode::Name, {}, program.description.cell + " has no state " + name + "; its states are: " + known, {}};
}

// Returns the number of CPUs on which the threads that this one starts may run.
int cpus_of_this_thread() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

void* StateContent::operator new(std::size_t size, std::int64_t floats) {
  const std::int64_t bytes = bytes_of(kRowFormat, floats);
  return ::operator new (size + static_cast<std::size_t>(bytes), std::align_val_t{kCacheLineBytes});
}

void StateContent::operator delete(void* memory) noexcept {
  ::operator delete (memory, std::align_val_t{kCacheLineBytes});
}

std::size_t count_states(const StateContent& content) { return content.program->network.list.states.size(); }

std::span<float> state_row(const StateContent& content, std::size_t state, std::int64_t b) {
  const Found found = found_state(content, state);
  return {found.row(b), static_cast<std::size_t>(found.info->size)};
}

void start_sequences(const StateContent& content, std::int64_t first, std::int64_t end) noexcept {
  const LoadedNetwork& network = content.program->network;
  const auto set = [&](const CellRows& rows, const Description& description, const StateInfo& info,
                       const float* values) {
    for (std::int64_t b = first; b < end; ++b) {
      float* const row = rows.row(info, description, b);
      if (values)
        std::copy_n(values, info.size, row);
      else
        std::fill_n(row, info.size, 0.0f);
    }
  };
  for_each_cell(content, [&](std::size_t i, const CellRows& rows) {
    const Description& description = network.cells[i]->description;
    for (const StateInfo& info : description.states) set(rows, description, info, nullptr);
  });
  for (const StartState& start : network.list.starts) {
    const auto cell = static_cast<std::size_t>(start.cell);
    const Description& description = network.cells[cell]->description;
    set(rows_of_cell(content, cell), description, description.states[static_cast<std::size_t>(start.state)],
        start.values.data());
  }
}

Result<Program> load_program(Description description, LoadedNetwork network, Threads threads) try {
  threads.useful = threads.executor ? threads.count : std::min(threads.count, cpus_of_this_thread());
  if (threads.count > 1 && !threads.executor) threads.executor = std::make_shared<ThreadPool>(threads.count - 1);
  if (threads.count > 1) add_wavefronts(network);
  network.places = StatePlaces(network.cells, network.list.states);
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

void check_sizes(std::int64_t batch, std::int64_t max_steps) {
  if (batch < 0 || batch > kMost) throw std::length_error("the batch of a state is negative or absurd");
  if (max_steps < 0 || max_steps > kMost) throw std::length_error("max_steps of a state is negative or absurd");
}

Error moved_from(const char* what) { return {ErrorCode::Usage, {}, std::string(what) + " was moved from", {}}; }

std::unique_ptr<runtime::StateContent> make_content(const std::shared_ptr<const runtime::LoadedProgram>& program,
                                                    std::int64_t batch) {
  if (!program) throw std::logic_error("a state of a program that was moved from");
  const std::int64_t floats = runtime::state_floats(program->network, batch);
  std::unique_ptr<runtime::StateContent> content(new (floats) runtime::StateContent{program, batch});
  std::fill_n(content->floats(), floats, 0.0f);
  runtime::start_sequences(*content, 0, batch);
  return content;
}

std::unique_ptr<runtime::WorkspaceContent> make_workspace_content(
    const std::shared_ptr<const runtime::LoadedProgram>& program, std::int64_t batch, runtime::StepsOfCalls steps) {
  if (!program) throw std::logic_error("a workspace of a program that was moved from");
  return std::make_unique<runtime::WorkspaceContent>(runtime::WorkspaceContent{
      program, runtime::make_workspace(program->network, batch, steps, program->threads.count)});
}

// Returns what `make` makes, or what it throws as an error.
template <class Make>
auto attempt(const Make& make) -> Result<decltype(make())> try {
  return make();
} catch (const runtime::NotEnoughMemory& none) {
  return Error{ErrorCode::Limit, {}, none.what()};
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {}, "not enough memory"};
} catch (const std::logic_error& error) {
  return Error{ErrorCode::Usage, {}, error.what()};
}

std::string named(const char* what, const runtime::LoadedProgram& program, std::int64_t batch) {
  return std::string(what) + " of " + program.description.cell + " for a batch of " + std::to_string(batch);
}

}  // namespace

Workspace::Workspace(std::unique_ptr<runtime::WorkspaceContent> content) : content_(std::move(content)) {}
Workspace::Workspace(Workspace&&) noexcept = default;
Workspace& Workspace::operator=(Workspace&&) noexcept = default;
Workspace::~Workspace() = default;

std::int64_t Workspace::batch() const noexcept { return content_ ? content_->network->batch : 0; }

State::State(std::unique_ptr<StateContent> content) : content_(std::move(content)) {}
State::State(State&&) noexcept = default;
State& State::operator=(State&&) noexcept = default;
State::~State() = default;

std::int64_t State::batch() const noexcept { return content_ ? content_->batch : 0; }
std::int64_t State::max_steps() const noexcept {
  if (!content_ || !content_->workspace) return 0;
  return content_->program->network.list.pieces_of != runtime::kNoTime ? kMost
                                                                       : content_->workspace->network->max_steps;
}

void State::reset() noexcept {
  if (content_) runtime::start_sequences(*content_, 0, content_->batch);
}

Result<void> State::set(const std::string& name, std::span<const float> values) {
  if (!content_) return moved_from("the state");
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
  if (!content_) return moved_from("the state");
  const runtime::Found found = runtime::find_state(*content_, name);
  if (!found.info) return runtime::unknown_state(*content_, name);
  const std::int64_t size = found.info->size;
  std::vector<float> values(static_cast<std::size_t>(content_->batch * size));
  for (std::int64_t b = 0; b < content_->batch; ++b) std::copy_n(found.row(b), size, values.data() + b * size);
  return values;
}

State Program::make_state(std::int64_t batch, std::int64_t max_steps) const {
  runtime::require_memory(state_bytes(batch, max_steps), named("a state", runtime::content_of(loaded_), batch));
  runtime::touch_code();
  auto content = make_content(loaded_, batch);
  content->workspace = make_workspace_content(loaded_, batch, {max_steps, true});
  if (loaded_->network.direct) content->direct = &content->workspace->network->cells[0];
  return State(std::move(content));
}

State Program::make_state_without_workspace(std::int64_t batch) const {
  runtime::require_memory(bytes_without_workspace(batch), named("a state", runtime::content_of(loaded_), batch));
  return State(make_content(loaded_, batch));
}

Workspace Program::make_workspace(std::int64_t batch, std::int64_t max_steps) const {
  runtime::require_memory(workspace_bytes(batch, max_steps), named("a workspace", runtime::content_of(loaded_), batch));
  runtime::touch_code();
  return Workspace(make_workspace_content(loaded_, batch, {max_steps, false}));
}

Result<State> Program::try_make_state(std::int64_t batch, std::int64_t max_steps) const {
  return attempt([&] { return make_state(batch, max_steps); });
}

Result<State> Program::try_make_state_without_workspace(std::int64_t batch) const {
  return attempt([&] { return make_state_without_workspace(batch); });
}

Result<Workspace> Program::try_make_workspace(std::int64_t batch, std::int64_t max_steps) const {
  return attempt([&] { return make_workspace(batch, max_steps); });
}

std::int64_t Program::state_bytes(std::int64_t batch, std::int64_t max_steps) const {
  check_sizes(batch, max_steps);
  return bytes_without_workspace(batch) +
         runtime::workspace_bytes(runtime::content_of(loaded_).network, batch, {max_steps, true});
}

std::int64_t Program::bytes_without_workspace(std::int64_t batch) const {
  check_sizes(batch, 0);
  return std::int64_t{sizeof(StateContent)} +
         runtime::bytes_of(runtime::kRowFormat, runtime::state_floats(runtime::content_of(loaded_).network, batch));
}

std::int64_t Program::workspace_bytes(std::int64_t batch, std::int64_t max_steps) const {
  check_sizes(batch, max_steps);
  return runtime::workspace_bytes(runtime::content_of(loaded_).network, batch, {max_steps, false});
}

std::int64_t Program::weights_bytes() const noexcept {
  std::int64_t floats = 0;
  for (const auto& cell : runtime::content_of(loaded_).network.cells) floats += cell->weights.size();
  return runtime::bytes_of(runtime::kRowFormat, floats);
}

Result<void> Program::streams() const {
  if (!loaded_) return moved_from("the program");
  const std::string& why_not = runtime::content_of(loaded_).network.list.no_streaming;
  if (why_not.empty()) return {};
  return Error{ErrorCode::Unsupported, {}, why_not, {}};
}

RunStatus Program::run(State& state, const RunArguments& arguments) const noexcept {
  if (!state.content_ || state.content_->program != loaded_ || !loaded_) return RunStatus::WrongState;
  const StateContent& content = *state.content_;
  if (arguments.workspace && !arguments.workspace->content_) return RunStatus::WrongWorkspace;
  runtime::NetworkWorkspace* workspace = nullptr;
  const RunStatus found =
      runtime::find_workspace(content, arguments.workspace ? arguments.workspace->content_.get() : nullptr, workspace);
  if (found != RunStatus::Ok) return found;
  if (loaded_->network.direct && runtime::is_plain(arguments, content.batch))
    return runtime::run_direct(*loaded_, content, workspace->cells[0], arguments.x, arguments.y, arguments.steps);
  runtime::for_each_cell(content,
                         [&](std::size_t cell, const runtime::CellRows& rows) { workspace->states[cell] = rows; });
  return runtime::run_network(loaded_->network, loaded_->threads, arguments, content.batch, *workspace);
}

RunStatus Program::step(State& state, std::span<const float> x, std::span<float> y) const noexcept {
  if (!state.content_ || state.content_->program != loaded_ || !loaded_) [[unlikely]]
    return RunStatus::WrongState;
  // A real-time thread steps a direct scan from sample to sample.
  if (CellWorkspace* const direct = state.content_->direct) [[likely]]
    return runtime::run_direct(*loaded_, *state.content_, *direct, x, y, 1);
  if (!loaded_->network.list.no_streaming.empty()) return RunStatus::NoStreaming;
  return run(state, {.x = x, .y = y, .steps = 1});
}

RunStatus Program::step(State& state, Workspace& workspace, std::span<const float> x,
                        std::span<float> y) const noexcept {
  if (loaded_ && !loaded_->network.list.no_streaming.empty()) return RunStatus::NoStreaming;
  return run(state, {.x = x, .y = y, .steps = 1, .workspace = &workspace});
}

}  // namespace rnnc
