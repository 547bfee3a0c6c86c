// This file implements the calls of a program: a single scan runs on the caller's memory, and all else as a network.
#include <algorithm>
#include <cstring>

#include "runtime/program.hpp"

namespace rnnc {

using runtime::CellWorkspace;
using runtime::StateContent;

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
RunStatus run_direct(const StateContent& state, CellWorkspace& workspace, std::span<const float> x, std::span<float> y,
                     std::int64_t steps) noexcept {
  const LoadedProgram& program = *state.program;
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

// Finds the workspace of a call, which is the caller's or the state's own. The caller's may be older than the tier of
// the state.
RunStatus find_workspace(const StateContent& state, const WorkspaceContent* given, NetworkWorkspace*& found) noexcept {
  const WorkspaceContent* used = given ? given : state.workspace.get();
  if (!used) return RunStatus::NoWorkspace;
  if (used->later && used->later->program == state.program) used = used->later.get();
  if (used->program != state.program || used->network->batch < state.batch) return RunStatus::WrongWorkspace;
  found = used->network.get();
  return RunStatus::Ok;
}

}  // namespace
}  // namespace runtime

namespace {

// Tells whether a state was made by this program: by the tier that runs first, or by the next one.
bool is_of(const std::shared_ptr<const runtime::LoadedProgram>& loaded, const StateContent& state) noexcept {
  if (state.program == loaded) [[likely]]
    return true;
  return loaded->next && state.program == loaded->next->program();
}

}  // namespace

RunStatus Program::run(State& state, const RunArguments& arguments) const noexcept {
  if (!state.content_ || !loaded_) return RunStatus::WrongState;
  // A call of one step of a small cell takes less time than what follows.
  if (CellWorkspace* const direct = state.content_->direct)
    if (is_of(loaded_, *state.content_) && !arguments.workspace && runtime::is_plain(arguments, state.content_->batch))
      return runtime::run_direct(*state.content_, *direct, arguments.x, arguments.y, arguments.steps);
  runtime::move_to_next_tier(*loaded_, state.content_);
  const StateContent& content = *state.content_;
  if (!is_of(loaded_, content)) return RunStatus::WrongState;
  const runtime::LoadedProgram& program = *content.program;
  if (arguments.workspace && !arguments.workspace->content_) return RunStatus::WrongWorkspace;
  runtime::NetworkWorkspace* workspace = nullptr;
  const RunStatus found =
      runtime::find_workspace(content, arguments.workspace ? arguments.workspace->content_.get() : nullptr, workspace);
  if (found != RunStatus::Ok) return found;
  if (program.network.direct && runtime::is_plain(arguments, content.batch))
    return runtime::run_direct(content, workspace->cells[0], arguments.x, arguments.y, arguments.steps);
  runtime::for_each_cell(content,
                         [&](std::size_t cell, const runtime::CellRows& rows) { workspace->states[cell] = rows; });
  return runtime::run_network(program.network, program.threads, arguments, content.batch, *workspace);
}

RunStatus Program::step(State& state, std::span<const float> x, std::span<float> y) const noexcept {
  if (!state.content_ || !loaded_ || !is_of(loaded_, *state.content_)) [[unlikely]]
    return RunStatus::WrongState;
  // A real-time thread steps a direct scan from sample to sample.
  if (CellWorkspace* const direct = state.content_->direct) [[likely]]
    return runtime::run_direct(*state.content_, *direct, x, y, 1);
  if (!loaded_->network.list.no_streaming.empty()) return RunStatus::NoStreaming;
  return run(state, {.x = x, .y = y, .steps = 1});
}

RunStatus Program::step(State& state, Workspace& workspace, std::span<const float> x,
                        std::span<float> y) const noexcept {
  if (loaded_ && !loaded_->network.list.no_streaming.empty()) return RunStatus::NoStreaming;
  return run(state, {.x = x, .y = y, .steps = 1, .workspace = &workspace});
}

}  // namespace rnnc
