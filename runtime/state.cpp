// This file implements the class State: the memory of states, and their values by name.
#include <algorithm>
#include <string>

#include <rnnc/join.hpp>

#include "runtime/program.hpp"
#include "runtime/state_bound.hpp"

namespace rnnc {

using runtime::StateContent;

namespace runtime {
namespace {

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

}  // namespace

void* StateContent::operator new(std::size_t size, std::int64_t floats) {
  const std::int64_t bytes = bytes_of(kRowFormat, floats);
  return ::operator new (size + static_cast<std::size_t>(bytes), std::align_val_t{kCacheLineBytes});
}

void StateContent::operator delete(void* memory) noexcept {
  ::operator delete (memory, std::align_val_t{kCacheLineBytes});
}

std::size_t count_states(const StateContent& content) { return content.program->network.list.states.size(); }

const StateInfo& state_info(const StateContent& content, std::size_t state) {
  return *found_state(content, state).info;
}

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

}  // namespace runtime

namespace {

Error moved_from() { return {ErrorCode::Usage, {}, "the state was moved from"}; }

}  // namespace

State::State(std::unique_ptr<StateContent> content) : content_(std::move(content)) {}
State::State(State&&) noexcept = default;
State& State::operator=(State&&) noexcept = default;
State::~State() = default;

std::int64_t State::batch() const noexcept { return content_ ? content_->batch : 0; }
std::int64_t State::max_steps() const noexcept {
  if (!content_ || !content_->workspace) return 0;
  return content_->program->network.list.pieces_of != runtime::kNoTime ? runtime::kMostSteps
                                                                       : content_->workspace->network->max_steps;
}

void State::reset() noexcept {
  if (content_) runtime::start_sequences(*content_, 0, content_->batch);
}

Result<void> State::set(const std::string& name, std::span<const float> values) {
  if (!content_) return moved_from();
  const runtime::Found found = runtime::find_state(*content_, name);
  if (!found.info) return runtime::unknown_state(*content_, name);
  const std::int64_t size = found.info->size;
  if (static_cast<std::int64_t>(values.size()) != content_->batch * size)
    return Error{ErrorCode::ShapeMismatch,
                 {},
                 "shape mismatch: state " + name + " of batch " + std::to_string(content_->batch) + " takes " +
                     std::to_string(content_->batch * size) + " elements but got " + std::to_string(values.size()),
                 {}};
  if (const Result<void> within = runtime::check_bound(*found.info, name, values); !within) return within.error();
  for (std::int64_t b = 0; b < content_->batch; ++b) std::copy_n(values.data() + b * size, size, found.row(b));
  return {};
}

Result<std::vector<float>> State::get(const std::string& name) const {
  if (!content_) return moved_from();
  const runtime::Found found = runtime::find_state(*content_, name);
  if (!found.info) return runtime::unknown_state(*content_, name);
  const std::int64_t size = found.info->size;
  std::vector<float> values(static_cast<std::size_t>(content_->batch * size));
  for (std::int64_t b = 0; b < content_->batch; ++b) std::copy_n(found.row(b), size, values.data() + b * size);
  return values;
}

}  // namespace rnnc
