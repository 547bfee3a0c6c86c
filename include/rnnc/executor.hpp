// How threads share a call, and where they come from when not from a program's own pool.
#pragma once

#include <cstdint>

#include <rnnc/export.hpp>

namespace RNNC_API rnnc {

/// A call may use no more than these.
inline constexpr int kMaxThreads = 1024;

/// What the threads of a call divide among them. The bits of the results do not depend on it.
enum class Sharing : std::uint8_t {
  Auto,    // what promises to be fastest, which may be one thread
  Batch,   // sequences: they never wait for each other, but each thread reads all weights
  Units,   // units of each step: they wait for each other at every step, but each thread reads its own weights
  Layers,  // of a network: a layer runs over one part of the time while the one below runs over the next; a cell has
           // none
};

/// Threads of the caller's. An implementation must let concurrent calls in, or refuse them.
class Executor {
 public:
  using Task = void (*)(void* context, int part) noexcept;

  virtual ~Executor() = default;

  /// Runs task(context, part) for every part in [0, parts) and returns true when all are done. Parts wait for each
  /// other: each needs a thread of its own, the calling one included, and all must be running at the same time. False,
  /// with nothing run, where that many threads cannot be had soon: the caller then runs everything itself. `parts` is
  /// no more than CompileOptions::threads; `saving` is the time in seconds that running them together is expected to
  /// save.
  virtual bool try_run(Task task, void* context, int parts, double saving) noexcept = 0;
};

}  // namespace rnnc
