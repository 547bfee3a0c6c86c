// A loaded cell is one cell with its code and weights; this header has the states of a batch and the calls of the
// cell's kernel over a timeline.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include <rnnc/executor.hpp>
#include <rnnc/export.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

#include "runtime/aligned_buffer.hpp"
#include "runtime/artifact.hpp"
#include "runtime/kernel_float_mode.hpp"
#include "runtime/pack.hpp"
#include "runtime/portable.hpp"
#include "runtime/timeline.hpp"

namespace rnnc::runtime {

/// The code of a cell: machine code in memory, which `owner` keeps alive, or operations for the portable executor.
struct Code {
  RunKernel run = nullptr;
  PrepareKernel prepare = nullptr;
  std::shared_ptr<void> owner;
  std::shared_ptr<const PortableProgram> portable = nullptr;
};

struct LoadedCell {
  Description description;
  AlignedBuffer weights;
  Code code;
};

/// Packs `weights` and computes the values that depend on weights only. Errors: as of pack_weights.
RNNC_API Result<LoadedCell> load_cell(Description description, Code code, const TensorRefs& weights);

/// The number of threads that a call may use and the executor that owns them. If `count` is above 1 in a program,
/// `executor` is not null.
struct Threads {
  int count = 1;
  std::shared_ptr<Executor> executor;
  Sharing sharing = Sharing::Auto;
  int useful = 1;  // the number of those that the system lets run at the same time
};

struct CellState {
  std::int64_t batch = 0;
  std::int64_t chunk_steps = 1;
  AlignedBuffer buffers[2];  // double-buffered states; `current` is the index of the buffer with the present values
  int current = 0;
  AlignedBuffer in_place;
  AlignedBuffer sequence, step;  // working memory of a call
  std::vector<Flag> flags;       // one for each thread

  CellState() = default;
  /// Allocates memory for `rows` rows and `threads` threads. Throws std::bad_alloc.
  CellState(const Description& description, std::int64_t rows, int threads);

  float* row(const StateInfo& info, const Description& description, std::int64_t b) const;
};

/// Returns the size of a CellState of `rows`, in bytes.
std::int64_t state_bytes(const Description& description, std::int64_t rows);

/// Returns the number of steps whose hoisted values are kept at the same time for `batch` sequences.
std::int64_t chunk_steps(const Description& description, std::int64_t batch);

/// Returns the arguments of a kernel that runs with `state`. The caller adds x, y, steps and batch.
KernelArguments kernel_arguments(const LoadedCell& cell, CellState& state) noexcept;

/// Runs work(part) for each part in [0, parts) at the same time, each on a thread of its own in the mode of kernels.
/// Returns false, with nothing run, if the threads are not available. `saving` is as of Executor::try_run.
template <class Work>
bool run_parts(const Threads& threads, Work& work, int parts, double saving) noexcept {
  const auto task = [](void* context, int part) noexcept {
    const KernelFloatMode mode;
    (*static_cast<Work*>(context))(part);
  };
  return threads.executor->try_run(task, &work, parts, saving);
}

/// Runs the kernel on one thread, or on several threads if that promises to be faster. The calling thread is in the
/// mode of kernels.
void run_kernel(const LoadedCell& cell, const Threads& threads, const KernelArguments& arguments,
                std::vector<Flag>& flags) noexcept;

/// The output of one step of one sequence, of a cell that reads no input.
RNNC_API std::vector<float> run_once(const LoadedCell& cell);

/// Reorder the states from the caller's order to that of the timeline, and back. `spare` is as large as
/// `state.in_place`.
void sort_states(const Description& description, const Timeline& timeline, AlignedBuffer& spare,
                 CellState& state) noexcept;
void unsort_states(const Description& description, const Timeline& timeline, AlignedBuffer& spare,
                   CellState& state) noexcept;

/// Runs every sequence over consecutive segments, forwards or backwards, with states in the timeline's order. `run` is
/// called for each segment with arguments that lack x and y; it leaves the new states in the same place as the kernel
/// does.
template <class Run>
void run_segments(const LoadedCell& cell, std::span<const Segment> segments, bool reverse, CellState& state,
                  Run run) noexcept {
  const std::int64_t row = cell.description.doubled_row, chunk_rows = state.chunk_steps * state.batch;
  float* const buffers[2] = {state.buffers[state.current].data(), state.buffers[1 - state.current].data()};
  const auto copy = [&](int from, int to, std::int64_t first, std::int64_t end) {
    if (from != to && first < end && row > 0)
      std::copy_n(buffers[from] + first * row, (end - first) * row, buffers[to] + first * row);
  };
  std::int64_t steps = 0;
  for (const Segment& segment : segments) steps += segment.steps;
  const int last = static_cast<int>(steps % 2);
  copy(0, last, segments.empty() ? 0 : segments.front().live, state.batch);
  int now = 0;
  for (std::size_t k = 0; k < segments.size(); ++k) {
    const std::size_t index = reverse ? segments.size() - 1 - k : k;
    const Segment& segment = segments[index];
    const std::int64_t shorter = index + 1 < segments.size() ? segments[index + 1].live : 0;
    if (reverse) copy(0, now, shorter, segment.live);  // the sequences that end in this segment
    KernelArguments arguments = kernel_arguments(cell, state);
    arguments.current = buffers[now];
    arguments.next = buffers[1 - now];
    arguments.steps = segment.steps;
    arguments.batch = segment.live;
    arguments.chunk_steps = chunk_rows / segment.live;
    run(segment, arguments);
    now = static_cast<int>((now + segment.steps) % 2);
    if (!reverse) copy(now, last, shorter, segment.live);
  }
  if (last == 1) state.current = 1 - state.current;
}

}  // namespace rnnc::runtime
