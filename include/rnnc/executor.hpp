// Threads share a call in one of these ways; they belong to the program or to an executor of the caller's.
#pragma once

#include <cstdint>

#include <rnnc/export.hpp>

namespace RNNC_API rnnc {

/// This is the largest number of threads that a call may use.
inline constexpr int kMaxThreads = 1024;

/// The way in which threads share a call. The bits of the results do not depend on it.
enum class Sharing : std::uint8_t {
  Auto,    // the fastest way by an estimate, which may be one thread
  Batch,   // sequences: they never wait for each other, but each thread reads all weights
  Units,   // units of each step: they wait for each other at every step, but each thread reads its own weights
  Layers,  // layers of a network: each runs over one part of the time while the one below runs over the next part
};

/// An executor lends threads of the caller's. An implementation must let concurrent calls in, or refuse them.
class Executor {
 public:
  using Task = void (*)(void* context, int part) noexcept;

  virtual ~Executor() = default;

  /// Runs task(context, part) for every part in [0, parts) and returns true when all are done. Parts wait for each
  /// other: each needs a thread of its own, the calling one included, and all must run at the same time. Returns false,
  /// with nothing run, if that many threads are not free soon: the caller then runs everything itself. `parts` is at
  /// most CompileOptions::threads; `saving` is the time in seconds that running the parts at the same time is expected
  /// to save.
  virtual bool try_run(Task task, void* context, int parts, double saving) noexcept = 0;
};

}  // namespace rnnc
