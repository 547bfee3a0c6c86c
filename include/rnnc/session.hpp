// Independent streams of one program, advanced together: each keeps its states, comes and goes when it wants, and gets
// the bits that it would get alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <rnnc/export.hpp>
#include <rnnc/program.hpp>

namespace RNNC_API rnnc {

/// Streams have slots from 0 to capacity - 1. For one thread at a time.
class Sessions {
 public:
  /// Memory for `capacity` streams. Errors: Unsupported where the program does not stream, or takes named inputs; Limit
  /// where `capacity` is not between 1 and 2^20, or more than the memory allows.
  static Result<Sessions> make(const Program& program, std::int64_t capacity);

  std::int64_t capacity() const noexcept { return static_cast<std::int64_t>(joined_.size()); }
  bool is_joined(std::int64_t slot) const noexcept;

  /// A slot for a new stream, which begins as State::reset says. Errors: Limit where all are taken.
  Result<std::int64_t> join();

  /// Frees a slot, which may be free already.
  void leave(std::int64_t slot) noexcept;

  /// The states of a slot as of a State::reset: the beginning of another stream.
  void reset(std::int64_t slot) noexcept;

  /// The states of a slot with their names, in a versioned form for programs of the same states on machines of the same
  /// byte order. Errors: Usage where nobody has joined the slot.
  Result<std::vector<std::byte>> save(std::int64_t slot) const;

  /// What `save` gave, into a slot that is joined. Errors: Usage as above; InvalidData, and nothing is changed then.
  Result<void> restore(std::int64_t slot, std::span<const std::byte> saved);

  /// One step of every stream that has joined; allocates nothing.
  ///
  /// Shapes    x f32[capacity, I], of which rows of free slots are not read; y f32[capacity, O], 0 in their rows
  /// Errors    as of Program::run
  RunStatus step(const float* x, float* y) noexcept;

 private:
  Sessions(const Program& program, std::int64_t capacity);
  Result<void> check(std::int64_t slot) const;

  Program program_;
  State state_;
  std::vector<std::int32_t> joined_;  // 1 where a stream has the slot: the length of its part of a step
};

}  // namespace rnnc
