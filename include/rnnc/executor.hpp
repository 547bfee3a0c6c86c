// Where the threads of a shared call come from, when not from a program's own pool.
#pragma once

namespace rnnc {

/// Threads of the caller's. An implementation must let concurrent calls in, or refuse them.
class Executor {
 public:
  using Task = void (*)(void* context, int part) noexcept;

  virtual ~Executor() = default;

  /// Runs task(context, part) for every part in [0, parts) and returns true when all are done. Parts wait for each other:
  /// each needs a thread of its own, the calling one included, and all must be running at the same time. False, with nothing
  /// run, where that many threads cannot be had now: the caller then runs everything itself. `parts` is no more than
  /// CompileOptions::threads.
  virtual bool try_run(Task task, void* context, int parts) noexcept = 0;
};

}  // namespace rnnc
