#include <rnnc/session.hpp>

#include <algorithm>
#include <cstring>
#include <string>

#include "runtime/program.hpp"

namespace rnnc {
namespace {

constexpr std::int64_t kMostStreams = std::int64_t{1} << 20;
constexpr std::uint32_t kMagic = 0x534e4e52;  // "RNNS"
constexpr std::uint32_t kVersion = 1;

void append(std::vector<std::byte>& bytes, const void* data, std::size_t size) {
  const auto* first = static_cast<const std::byte*>(data);
  for (std::size_t i = 0; i < size; ++i) bytes.push_back(first[i]);
}

void append(std::vector<std::byte>& bytes, std::uint32_t number) { append(bytes, &number, sizeof number); }

// What stands before a state's floats; the first also what stands before all of them.
std::vector<std::byte> header(const Port& state, bool first, std::size_t states, std::size_t size) {
  std::vector<std::byte> bytes;
  if (first) {
    append(bytes, kMagic);
    append(bytes, kVersion);
    append(bytes, static_cast<std::uint32_t>(states));
  }
  append(bytes, static_cast<std::uint32_t>(state.name.size()));
  append(bytes, state.name.data(), state.name.size());
  append(bytes, static_cast<std::uint32_t>(size));
  return bytes;
}

Error wrong_data(const std::string& what) { return {ErrorCode::InvalidData, {}, "saved states: " + what, {}}; }

}  // namespace

Sessions::Sessions(const Program& program, std::int64_t capacity)
    : program_(program), state_(program.make_state(capacity)), joined_(static_cast<std::size_t>(capacity)) {}

Result<Sessions> Sessions::make(const Program& program, std::int64_t capacity) {
  if (const Result<void> streams = program.streams(); !streams) return streams.error();
  if (!program.named_inputs().empty())
    return Error{ErrorCode::Unsupported, {}, "sessions take x only, no inputs by name", {}};
  if (capacity < 1 || capacity > kMostStreams)
    return Error{ErrorCode::Limit,
                 {},
                 "a capacity of " + std::to_string(capacity) + " is not between 1 and " + std::to_string(kMostStreams),
                 {}};
  return Sessions(program, capacity);
}

bool Sessions::is_joined(std::int64_t slot) const noexcept {
  return slot >= 0 && slot < capacity() && joined_[static_cast<std::size_t>(slot)] == 1;
}

Result<std::int64_t> Sessions::join() {
  const auto free = std::find(joined_.begin(), joined_.end(), 0);
  if (free == joined_.end())
    return Error{ErrorCode::Limit, {}, "all " + std::to_string(capacity()) + " slots are taken", {}};
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
  for (std::size_t i = 0; i < runtime::count_states(*state_.content_); ++i) {
    const std::span<float> row = runtime::state_row(*state_.content_, i, slot);
    std::fill(row.begin(), row.end(), 0.0f);
  }
}

Result<void> Sessions::check(std::int64_t slot) const {
  if (is_joined(slot)) return {};
  return Error{ErrorCode::Usage, {}, "no stream has joined slot " + std::to_string(slot), {}};
}

Result<std::vector<std::byte>> Sessions::save(std::int64_t slot) const {
  if (const Result<void> checked = check(slot); !checked) return checked.error();
  const std::vector<Port> states = program_.states();
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < states.size(); ++i) {
    const std::span<const float> row = runtime::state_row(*state_.content_, i, slot);
    const std::vector<std::byte> head = header(states[i], i == 0, states.size(), row.size());
    append(bytes, head.data(), head.size());
    append(bytes, row.data(), row.size_bytes());
  }
  return bytes;
}

Result<void> Sessions::restore(std::int64_t slot, std::span<const std::byte> saved) {
  if (const Result<void> checked = check(slot); !checked) return checked.error();
  const std::vector<Port> states = program_.states();
  std::vector<std::span<const std::byte>> rows;
  for (std::size_t i = 0; i < states.size(); ++i) {
    const std::size_t size = runtime::state_row(*state_.content_, i, slot).size();
    const std::vector<std::byte> head = header(states[i], i == 0, states.size(), size);
    if (saved.size() < head.size() + size * sizeof(float) || !std::equal(head.begin(), head.end(), saved.begin()))
      return wrong_data("not of version " + std::to_string(kVersion) + " with state " + states[i].name + " of " +
                        std::to_string(size) + " elements, as " + program_.cell() + " has it");
    rows.push_back(saved.subspan(head.size(), size * sizeof(float)));
    saved = saved.subspan(head.size() + size * sizeof(float));
  }
  if (!saved.empty()) return wrong_data(std::to_string(saved.size()) + " bytes are left over");
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::memcpy(runtime::state_row(*state_.content_, i, slot).data(), rows[i].data(), rows[i].size());
  return {};
}

RunStatus Sessions::step(const float* x, float* y) noexcept {
  return program_.run({.x = x, .y = y, .steps = 1, .batch = capacity(), .state = state_, .lengths = joined_.data()});
}

}  // namespace rnnc
