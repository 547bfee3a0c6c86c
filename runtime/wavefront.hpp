// Layers of a network as a wavefront: each is cut into chunks of time, and a thread that is free takes a chunk whose
// rows the layers below have written. Layers need no more synchronisation than a counter each.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include <rnnc/export.hpp>

#include "runtime/number_format.hpp"

namespace rnnc::runtime {

struct StepList;

/// Calls of consecutive waves over one time, none of them backwards, that read of each other only rows of the same
/// step.
struct Wavefront {
  int first_wave = 0, end_wave = 0;
  std::vector<std::vector<int>> reads;  // of each call: those whose rows it reads, all counted from the first
};

/// How many chunks of a call are done, and whether a thread works at the next.
struct alignas(kCacheLineBytes) Progress {
  std::atomic<std::int64_t> done{0};
  std::atomic<bool> taken{false};
};

/// The wavefronts of two waves or more, as long as they can be, in the order of waves.
RNNC_API std::vector<Wavefront> find_wavefronts(const StepList& list);

/// Works until all chunks of all calls are done. Several threads may do so at a time, on `progress` of zeros with one
/// element a call. `run` does chunk `chunk` of call `call`, counted from the wavefront's first.
using RunChunk = void (*)(void* context, int call, std::int64_t chunk) noexcept;
void work(const Wavefront& wavefront, std::int64_t chunks, std::span<Progress> progress, RunChunk run,
          void* context) noexcept;

}  // namespace rnnc::runtime
