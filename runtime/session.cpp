// This file implements Sessions: each stream uses one row of a state while it lasts.
#include <rnnc/session.hpp>

#include <algorithm>
#include <new>
#include <string>

#include "runtime/memory_limit.hpp"
#include "runtime/program.hpp"
#include "runtime/saved_row.hpp"

namespace rnnc {
namespace {

constexpr std::int64_t kMostStreams = std::int64_t{1} << 20;
// So many streams advance at the same time. A group reads the weights again, which costs nothing that shows: a step of
// 1,024 streams of an LSTM of 512 units takes 23.2 ms in groups, and 23.7 ms all at once (one core of a Zen 5).
constexpr std::int64_t kStreamsAtOnce = 256;

}  // namespace

Sessions::Sessions(const Program& program, std::int64_t capacity)
    : program_(program),
      workspace_(program.make_workspace(std::min(capacity, kStreamsAtOnce))),
      joined_(static_cast<std::size_t>(capacity)) {
  for (std::int64_t first = 0; first < capacity; first += kStreamsAtOnce)
    states_.push_back(program.make_state_without_workspace(std::min(kStreamsAtOnce, capacity - first)));
  for (const NamedPort& output : program.outputs()) outputs_.push_back({output.port.name, output.port.size()});
  outputs_.erase(outputs_.begin());  // this one is y
  wanted_.resize(outputs_.size());
}

Result<Sessions> Sessions::make(const Program& program, std::int64_t capacity) try {
  if (const Result<void> streams = program.streams(); !streams) return streams.error();
  if (!program.named_inputs().empty())
    return Error{ErrorCode::Unsupported, {}, "sessions take x only, no inputs by name"};
  if (capacity < 1 || capacity > kMostStreams)
    return Error{ErrorCode::Limit,
                 {},
                 "a capacity of " + std::to_string(capacity) + " is not between 1 and " + std::to_string(kMostStreams)};
  runtime::require_memory(program.bytes_without_workspace(capacity), std::to_string(capacity) + " streams");
  return Sessions(program, capacity);
} catch (const runtime::NotEnoughMemory& none) {
  return Error{ErrorCode::Limit, {}, none.what()};
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {}, "not enough memory for " + std::to_string(capacity) + " streams"};
}

Sessions::Place Sessions::place(std::int64_t slot) const noexcept {
  return {states_[static_cast<std::size_t>(slot / kStreamsAtOnce)], slot % kStreamsAtOnce};
}

bool Sessions::is_joined(std::int64_t slot) const noexcept {
  return slot >= 0 && slot < capacity() && joined_[static_cast<std::size_t>(slot)] == 1;
}

Result<std::int64_t> Sessions::join() {
  const auto free = std::find(joined_.begin(), joined_.end(), 0);
  if (free == joined_.end())
    return Error{ErrorCode::Limit, {}, "all " + std::to_string(capacity()) + " slots are taken"};
  *free = 1;
  const std::int64_t slot = free - joined_.begin();
  reset(slot);
  return slot;
}

void Sessions::leave(std::int64_t slot) noexcept {
  if (is_joined(slot)) joined_[static_cast<std::size_t>(slot)] = 0;
}

void Sessions::reset(std::int64_t slot) noexcept {
  if (!is_joined(slot)) return;
  const auto [state, row] = place(slot);
  runtime::start_sequences(*state.content_, row, row + 1);
}

Result<void> Sessions::check(std::int64_t slot) const {
  if (is_joined(slot)) return {};
  return Error{ErrorCode::Usage, {}, "no stream has joined slot " + std::to_string(slot)};
}

Result<std::vector<std::byte>> Sessions::save(std::int64_t slot) const {
  if (const Result<void> checked = check(slot); !checked) return checked.error();
  std::vector<std::byte> bytes;
  const auto [state, row] = place(slot);
  runtime::save_row(*state.content_, row, bytes);
  return bytes;
}

Result<void> Sessions::restore(std::int64_t slot, std::span<const std::byte> saved) {
  if (const Result<void> checked = check(slot); !checked) return checked.error();
  const auto [state, row] = place(slot);
  if (const Result<void> checked = runtime::check_saved_row(*state.content_, saved); !checked) return checked.error();
  runtime::restore_row(*state.content_, row, saved);
  return {};
}

RunStatus Sessions::check(std::span<const NamedOutput> outputs) const noexcept {
  for (const NamedOutput& each : outputs) {
    const auto known = std::find_if(outputs_.begin(), outputs_.end(),
                                    [&](const NamedSize& output) { return output.name == each.name; });
    if (known == outputs_.end()) return RunStatus::UnknownName;
    if (const RunStatus status = runtime::check_span(each.data, capacity() * known->size); status != RunStatus::Ok)
      return status;
  }
  return RunStatus::Ok;
}

// Finds the rows of the outputs that the caller wants, of `streams` streams from `first` on.
std::span<const NamedOutput> Sessions::rows_of(std::span<const NamedOutput> outputs, std::size_t first,
                                               std::size_t streams) noexcept {
  std::size_t count = 0;
  for (const NamedSize& output : outputs_)
    for (const NamedOutput& each : outputs) {
      if (each.name != output.name) continue;
      const auto size = static_cast<std::size_t>(output.size);
      wanted_[count++] = {each.name, each.data.subspan(first * size, streams * size)};
      break;
    }
  return std::span(wanted_).first(count);
}

RunStatus Sessions::step(std::span<const float> x, std::span<float> y, std::span<const NamedOutput> named) noexcept {
  if (states_.empty()) return RunStatus::WrongState;
  for (const RunStatus status : {runtime::check_span(x, capacity() * program_.input_size()),
                                 runtime::check_span(y, capacity() * program_.output_size()), check(named)})
    if (status != RunStatus::Ok) return status;
  const auto inputs = static_cast<std::size_t>(program_.input_size());
  const auto outputs = static_cast<std::size_t>(program_.output_size());
  std::size_t first = 0;
  for (State& state : states_) {
    const auto streams = static_cast<std::size_t>(state.batch());
    const RunStatus status = program_.run(state, {.x = x.subspan(first * inputs, streams * inputs),
                                                  .y = y.subspan(first * outputs, streams * outputs),
                                                  .steps = 1,
                                                  .lengths = std::span(joined_).subspan(first, streams),
                                                  .workspace = &workspace_,
                                                  .outputs = rows_of(named, first, streams)});
    if (status != RunStatus::Ok) return status;
    first += streams;
  }
  return RunStatus::Ok;
}

}  // namespace rnnc
