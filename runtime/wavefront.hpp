// A wavefront runs layers of a network at the same time: each layer is cut into chunks of time, and a free thread runs
// a chunk whose rows the layers below have written. A layer needs one counter and no other synchronisation.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include <rnnc/export.hpp>

#include "runtime/number_format.hpp"

namespace rnnc::runtime {

struct StepList;

/// Calls of consecutive waves over one time, none of them backwards. A call reads only rows of the same step from the
/// others.
struct Wavefront {
  int first_wave = 0, end_wave = 0;
  std::vector<std::vector<int>>
      reads;  // for each call, the calls whose rows it reads, counted from the wavefront's first
};

/// The number of finished chunks of a call, and whether a thread works on the next one.
struct alignas(kCacheLineBytes) Progress {
  std::atomic<std::int64_t> done{0};
  std::atomic<bool> taken{false};
};

/// Returns the wavefronts of two waves or more, each as long as possible, in the order of waves.
RNNC_API std::vector<Wavefront> find_wavefronts(const StepList& list);

/// Works until all chunks of all calls are done. Several threads may call it at the same time, on `progress` of zeros
/// with one element for each call. `run` runs chunk `chunk` of call `call`, counted from the wavefront's first.
using RunChunk = void (*)(void* context, int call, std::int64_t chunk) noexcept;
void work(const Wavefront& wavefront, std::int64_t chunks, std::span<Progress> progress, RunChunk run,
          void* context) noexcept;

}  // namespace rnnc::runtime
