#include "runtime/program.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <system_error>

#include "runtime/cpus.hpp"
#include "runtime/memory_limit.hpp"
#include "runtime/thread_pool.hpp"
#include "runtime/touch_code.hpp"

namespace rnnc {

using runtime::StateContent;

namespace runtime {

// The destructors stand here once: each is long, and many places would repeat it.
LoadedProgram::~LoadedProgram() = default;
WorkspaceContent::~WorkspaceContent() = default;
StateContent::~StateContent() = default;

Result<std::shared_ptr<LoadedProgram>> load(Description description, LoadedNetwork network, Threads threads) try {
  threads.useful = threads.executor ? threads.count : std::min(threads.count, cpus_of_this_thread());
  if (threads.count > 1 && !threads.executor) threads.executor = std::make_shared<ThreadPool>(threads.count - 1);
  if (threads.count > 1) add_wavefronts(network);
  network.places = StatePlaces(network.cells, network.list.states);
  if (is_direct(network.list)) network.direct = network.cells[0].get();
  auto loaded = std::make_shared<LoadedProgram>();
  loaded->description = std::move(description);
  loaded->network = std::move(network);
  loaded->threads = std::move(threads);
  return loaded;
} catch (const std::system_error& error) {
  return Error{ErrorCode::Limit, {}, "cannot start " + std::to_string(threads.count) + " threads: " + error.what(), {}};
}

Result<Program> load_program(Description description, LoadedNetwork network, Threads threads) {
  auto loaded = load(std::move(description), std::move(network), std::move(threads));
  if (!loaded) return loaded.error();
  return Program(std::move(*loaded));
}

}  // namespace runtime

namespace {

using Loaded = std::shared_ptr<const runtime::LoadedProgram>;

constexpr std::int64_t kMost = runtime::kMostSteps;  // with this limit every size fits in 64 bits

void check_sizes(std::int64_t batch, std::int64_t max_steps) {
  if (batch < 0 || batch > kMost) throw std::length_error("the batch of a state is negative or absurd");
  if (max_steps < 0 || max_steps > kMost) throw std::length_error("max_steps of a state is negative or absurd");
}

Error moved_from(const char* what) { return {ErrorCode::Usage, {}, std::string(what) + " was moved from", {}}; }

// Returns the tier that a program is about to get beside the one that runs now; null if there is none.
const Loaded& later_of(const Loaded& loaded) {
  static const Loaded none;
  return loaded && loaded->next && loaded->next->is_waiting() ? loaded->next->program() : none;
}

std::unique_ptr<StateContent> make_content(const Loaded& program, std::int64_t batch) {
  const std::int64_t floats = runtime::state_floats(program->network, batch);
  std::unique_ptr<StateContent> content(new (floats) StateContent{program, batch});
  std::fill_n(content->floats(), floats, 0.0f);
  runtime::start_sequences(*content, 0, batch);
  return content;
}

std::unique_ptr<runtime::WorkspaceContent> make_workspace_content(const Loaded& program, std::int64_t batch,
                                                                  runtime::StepsOfCalls steps) {
  auto network = runtime::make_workspace(program->network, batch, steps, program->threads.count);
  return std::unique_ptr<runtime::WorkspaceContent>(new runtime::WorkspaceContent{program, std::move(network)});
}

// Makes a state of one tier, with the workspace of calls of `max_steps` steps if there is to be one.
std::unique_ptr<StateContent> make_content(const Loaded& program, std::int64_t batch,
                                           std::optional<std::int64_t> max_steps) {
  auto content = make_content(program, batch);
  if (!max_steps) return content;
  content->workspace = make_workspace_content(program, batch, {*max_steps, true});
  if (program->network.direct) content->direct = &content->workspace->network->cells[0];
  return content;
}

// Makes a state, with room for it in the tier that comes later. `later` is read first: a tier that becomes ready now
// is then the current one as well, and the room is not needed.
std::unique_ptr<StateContent> make_content_of_tiers(const Loaded& loaded, std::int64_t batch,
                                                    std::optional<std::int64_t> max_steps) {
  if (!loaded) throw std::logic_error("a state of a program that was moved from");
  const Loaded& later = later_of(loaded);
  auto content = make_content(runtime::current(loaded), batch, max_steps);
  if (!later || later == content->program) return content;
  content->later = make_content(later, batch, max_steps);
  content->direct = nullptr;
  return content;
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

// Returns the sum of `bytes` over the tiers for which a state or workspace has memory.
template <class Bytes>
std::int64_t sum_of_tiers(const Loaded& loaded, const Bytes& bytes) {
  const Loaded& later = later_of(loaded);
  return bytes(runtime::content_of(runtime::current(loaded))) + (later ? bytes(*later) : 0);
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

State Program::make_state(std::int64_t batch, std::int64_t max_steps) const {
  runtime::require_memory(state_bytes(batch, max_steps), named("a state", runtime::content_of(loaded_), batch));
  runtime::touch_code();
  return State(make_content_of_tiers(loaded_, batch, max_steps));
}

State Program::make_state_without_workspace(std::int64_t batch) const {
  runtime::require_memory(bytes_without_workspace(batch), named("a state", runtime::content_of(loaded_), batch));
  return State(make_content_of_tiers(loaded_, batch, std::nullopt));
}

Workspace Program::make_workspace(std::int64_t batch, std::int64_t max_steps) const {
  runtime::require_memory(workspace_bytes(batch, max_steps), named("a workspace", runtime::content_of(loaded_), batch));
  runtime::touch_code();
  if (!loaded_) throw std::logic_error("a workspace of a program that was moved from");
  const Loaded& later = later_of(loaded_);
  auto content = make_workspace_content(runtime::current(loaded_), batch, {max_steps, false});
  if (later && later != content->program) content->later = make_workspace_content(later, batch, {max_steps, false});
  return Workspace(std::move(content));
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
  return bytes_without_workspace(batch) + sum_of_tiers(loaded_, [&](const runtime::LoadedProgram& tier) {
           return runtime::workspace_bytes(tier.network, batch, {max_steps, true});
         });
}

std::int64_t Program::bytes_without_workspace(std::int64_t batch) const {
  check_sizes(batch, 0);
  return sum_of_tiers(loaded_, [&](const runtime::LoadedProgram& tier) {
    return std::int64_t{sizeof(StateContent)} +
           runtime::bytes_of(runtime::kRowFormat, runtime::state_floats(tier.network, batch));
  });
}

std::int64_t Program::workspace_bytes(std::int64_t batch, std::int64_t max_steps) const {
  check_sizes(batch, max_steps);
  return sum_of_tiers(loaded_, [&](const runtime::LoadedProgram& tier) {
    return runtime::workspace_bytes(tier.network, batch, {max_steps, false});
  });
}

std::int64_t Program::weights_bytes() const noexcept {
  const auto bytes = [](const runtime::LoadedProgram& program) {
    std::int64_t floats = 0;
    for (const auto& cell : program.network.cells) floats += cell->weights.size();
    return runtime::bytes_of(runtime::kRowFormat, floats);
  };
  const runtime::LoadedProgram& first = runtime::content_of(loaded_);
  return bytes(first) + (first.next ? bytes(*first.next->program()) : 0);
}

Result<void> Program::streams() const {
  if (!loaded_) return moved_from("the program");
  const std::string& why_not = runtime::content_of(loaded_).network.list.no_streaming;
  if (why_not.empty()) return {};
  return Error{ErrorCode::Unsupported, {}, why_not, {}};
}

}  // namespace rnnc
