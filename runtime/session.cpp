// This file implements Sessions: each stream uses one row of a state while it lasts.
#include <rnnc/session.hpp>

#include <algorithm>
#include <new>
#include <string>

#include "runtime/program.hpp"
#include "runtime/saved_row.hpp"

namespace rnnc {
namespace {

constexpr std::int64_t kMostStreams = std::int64_t{1} << 20;

}  // namespace

Sessions::Sessions(const Program& program, std::int64_t capacity)
    : program_(program), state_(program.make_state(capacity)), joined_(static_cast<std::size_t>(capacity)) {}

Result<Sessions> Sessions::make(const Program& program, std::int64_t capacity) try {
  if (const Result<void> streams = program.streams(); !streams) return streams.error();
  if (!program.named_inputs().empty())
    return Error{ErrorCode::Unsupported, {}, "sessions take x only, no inputs by name"};
  if (capacity < 1 || capacity > kMostStreams)
    return Error{ErrorCode::Limit,
                 {},
                 "a capacity of " + std::to_string(capacity) + " is not between 1 and " + std::to_string(kMostStreams)};
  return Sessions(program, capacity);
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {}, "not enough memory for " + std::to_string(capacity) + " streams"};
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
  const runtime::StateContent& content = *state_.content_;
  runtime::start_sequences(content.program->network, *content.network, slot, slot + 1);
}

Result<void> Sessions::check(std::int64_t slot) const {
  if (is_joined(slot)) return {};
  return Error{ErrorCode::Usage, {}, "no stream has joined slot " + std::to_string(slot)};
}

Result<std::vector<std::byte>> Sessions::save(std::int64_t slot) const {
  if (const Result<void> checked = check(slot); !checked) return checked.error();
  std::vector<std::byte> bytes;
  runtime::save_row(*state_.content_, slot, bytes);
  return bytes;
}

Result<void> Sessions::restore(std::int64_t slot, std::span<const std::byte> saved) {
  if (const Result<void> checked = check(slot); !checked) return checked.error();
  if (const Result<void> checked = runtime::check_saved_row(*state_.content_, saved); !checked) return checked.error();
  runtime::restore_row(*state_.content_, slot, saved);
  return {};
}

RunStatus Sessions::step(const float* x, float* y) noexcept {
  return program_.run({.x = x, .y = y, .steps = 1, .batch = capacity(), .state = state_, .lengths = joined_.data()});
}

}  // namespace rnnc
