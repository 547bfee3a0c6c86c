// Sessions are independent streams of one program that advance at the same time: each keeps its states, comes and goes
// at any step, and gets the bits that it would get alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <rnnc/export.hpp>
#include <rnnc/program.hpp>

namespace RNNC_API rnnc {

/// Streams have slots from 0 to capacity - 1. The object is for one thread at a time.
class Sessions {
 public:
  /// Allocates memory for `capacity` streams. Errors: Unsupported if the program does not stream, or takes named
  /// inputs; Limit if `capacity` is not between 1 and 2^20, or needs more memory than there is.
  static Result<Sessions> make(const Program& program, std::int64_t capacity);

  std::int64_t capacity() const noexcept { return static_cast<std::int64_t>(joined_.size()); }
  bool is_joined(std::int64_t slot) const noexcept;

  /// Returns a slot for a new stream, which begins as State::reset says. Errors: Limit if all slots are taken.
  Result<std::int64_t> join();

  /// Frees a slot, which may be free already.
  void leave(std::int64_t slot) noexcept;

  /// Resets the states of a slot as State::reset does: another stream begins.
  void reset(std::int64_t slot) noexcept;

  /// Returns the states of a slot with their names, in a versioned form for programs of the same states on machines of
  /// the same byte order. Errors: Usage if nobody has joined the slot.
  Result<std::vector<std::byte>> save(std::int64_t slot) const;

  /// Sets the states of a slot that is joined from the result of `save`. Errors: Usage as above; InvalidData; an error
  /// changes nothing.
  Result<void> restore(std::int64_t slot, std::span<const std::byte> saved);

  /// Runs one step of every stream that has joined; allocates nothing.
  ///
  /// Shapes    x f32[capacity, I], of which rows of free slots are not read; y f32[capacity, O], and so each output of
  ///           `outputs`, as RunArguments::outputs: 0 in rows of free slots that are over a time
  /// Errors    as of Program::run; WrongState if the object was moved from
  RunStatus step(std::span<const float> x, std::span<float> y, std::span<const NamedOutput> outputs = {}) noexcept;

 private:
  Sessions(const Program& program, std::int64_t capacity);
  Result<void> check(std::int64_t slot) const;
  RunStatus check(std::span<const NamedOutput> outputs) const noexcept;
  std::span<const NamedOutput> rows_of(std::span<const NamedOutput> outputs, std::size_t first,
                                       std::size_t streams) noexcept;

  // The state that has a slot, and the slot's row in it.
  struct Place {
    const State& state;
    std::int64_t row;
  };
  Place place(std::int64_t slot) const noexcept;

  struct NamedSize {
    std::string name;
    std::int64_t size = 0;
  };

  Program program_;
  std::vector<NamedSize> outputs_;   // those after y
  std::vector<NamedOutput> wanted_;  // of a call that runs, as many as there may be
  // Streams advance some at a time, so that one workspace of that size serves them all. Each state but the last has as
  // many streams as the first.
  std::vector<State> states_;
  Workspace workspace_;
  std::vector<std::int32_t> joined_;  // 1 where a stream has the slot: the length of its part of a step
};

}  // namespace rnnc
