// A program that begins on the portable executor has a next tier: the same program with generated code, which another
// thread finishes while the first one runs.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include <rnnc/export.hpp>
#include <rnnc/result.hpp>

namespace rnnc::runtime {

struct LoadedProgram;
struct StateContent;

class NextTier {
 public:
  using Finish = std::function<Result<void>()>;

  /// Calls `finish` on another thread, or on this one if the system has no more threads. `program` can be run once
  /// `finish` has returned without an error; until then only its sizes may be used.
  RNNC_API NextTier(std::shared_ptr<const LoadedProgram> program, Finish finish);
  NextTier(const NextTier&) = delete;
  NextTier& operator=(const NextTier&) = delete;
  /// Waits until `finish` has returned.
  RNNC_API ~NextTier();

  const std::shared_ptr<const LoadedProgram>& program() const noexcept { return program_; }
  bool is_ready() const noexcept { return stage_.load(std::memory_order_acquire) == Stage::Ready; }
  bool is_waiting() const noexcept { return stage_.load(std::memory_order_acquire) == Stage::Waiting; }

  /// Waits until the program is ready. Errors: those of `finish`; Unsupported in a child process that was forked before
  /// the program was ready, where no thread works on it.
  Result<void> wait() const;

  /// Returns why the program will never be ready; "" if that is not known, or if it is ready.
  const std::string& failure() const noexcept;

 private:
  enum class Stage { Waiting, Ready, Failed };
  void make(const Finish& finish) noexcept;

  std::shared_ptr<const LoadedProgram> program_;
  std::atomic<Stage> stage_{Stage::Waiting};
  Error error_;    // of Failed
  pid_t process_;  // the one that has the thread
  std::thread thread_;
};

/// Returns the program that runs now for one that may have a next tier.
const std::shared_ptr<const LoadedProgram>& current(const std::shared_ptr<const LoadedProgram>& loaded) noexcept;

/// Moves a state of `loaded` to the next tier if that is ready and has not got the state yet. The values move to memory
/// that the state has had from its beginning; the old memory is freed with the state.
void move_to_next_tier(const LoadedProgram& loaded, std::unique_ptr<StateContent>& state) noexcept;

}  // namespace rnnc::runtime
