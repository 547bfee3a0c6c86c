// A loaded cell is one cell with its code and weights; this header has the memory of a call and the calls of the cell's
// kernel over a timeline.
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

/// Packs `weights` of a cell that still lacks its code. Errors: as of pack_weights.
RNNC_API Result<LoadedCell> pack_cell(Description description, const TensorRefs& weights);

/// Gives a cell its code, which computes the values that depend on weights only.
RNNC_API void finish_cell(LoadedCell& cell, Code code);

/// Loads a cell whose code is there: pack_cell, then finish_cell.
RNNC_API Result<LoadedCell> load_cell(Description description, Code code, const TensorRefs& weights);

/// The number of threads that a call may use and the executor that owns them. If `count` is above 1 in a program,
/// `executor` is not null.
struct Threads {
  int count = 1;
  std::shared_ptr<Executor> executor;
  Sharing sharing = Sharing::Auto;
  int useful = 1;  // the number of those that the system lets run at the same time
};

/// The states of a cell for a batch of sequences. The rows of double-buffered states and those that are advanced in
/// place lie apart from each other.
struct CellRows {
  float* doubled = nullptr;   // [batch, doubled_row]
  float* in_place = nullptr;  // [batch, in_place_row]

  float* row(const StateInfo& info, const Description& description, std::int64_t b) const {
    return (info.doubled ? doubled + b * description.doubled_row : in_place + b * description.in_place_row) +
           info.offset;
  }
};

/// The memory of a cell that needs to last for one call only.
struct CellWorkspace {
  std::int64_t rows = 0;        // the most sequences that the kernel takes at once
  std::int64_t chunk_rows = 1;  // rows of hoisted values that are kept at the same time, >= rows
  AlignedBuffer next;           // double-buffered states, [rows, doubled_row], in whole lines
  AlignedBuffer in_place;       // spare rows to sort states, [rows, in_place_row]
  AlignedBuffer sequence, step;
  std::vector<Flag> flags;  // one for each thread

  CellWorkspace() = default;
  /// Allocates memory for `rows` rows, calls of `steps` steps and `threads` threads. Throws std::bad_alloc.
  CellWorkspace(const Description& description, std::int64_t rows, std::int64_t steps, int threads);
};

/// Returns the size of a CellWorkspace in bytes.
std::int64_t workspace_bytes(const Description& description, std::int64_t rows, std::int64_t steps);

/// Returns the number of steps whose hoisted values are kept at the same time for `batch` sequences.
std::int64_t chunk_steps(const Description& description, std::int64_t batch);

/// Returns the arguments of a kernel for `batch` sequences. The caller adds x, y and steps.
KernelArguments kernel_arguments(const LoadedCell& cell, const CellRows& states, CellWorkspace& workspace,
                                 std::int64_t batch) noexcept;

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

/// Copies the states from the caller's order to that of the timeline, and back.
void sort_states(const Description& description, const Timeline& timeline, const CellRows& callers,
                 const CellRows& sorted) noexcept;
void unsort_states(const Description& description, const Timeline& timeline, const CellRows& sorted,
                   const CellRows& callers) noexcept;

/// Runs every sequence over consecutive segments, forwards or backwards, with states in the timeline's order, which are
/// advanced; `next` is as large as states.doubled. `run` is called for each segment with arguments that lack x and y.
template <class Run>
void run_segments(const LoadedCell& cell, std::span<const Segment> segments, bool reverse, const CellRows& states,
                  float* next, CellWorkspace& workspace, Run run) noexcept {
  const std::int64_t row = cell.description.doubled_row;
  float* const buffers[2] = {states.doubled, next};
  const auto copy = [&](int from, int to, std::int64_t first, std::int64_t end) {
    if (from != to && first < end && row > 0)
      std::copy_n(buffers[from] + first * row, (end - first) * row, buffers[to] + first * row);
  };
  int now = 0;
  for (std::size_t k = 0; k < segments.size(); ++k) {
    const std::size_t index = reverse ? segments.size() - 1 - k : k;
    const Segment& segment = segments[index];
    const std::int64_t shorter = index + 1 < segments.size() ? segments[index + 1].live : 0;
    if (reverse) copy(0, now, shorter, segment.live);  // the sequences that end in this segment begin here
    KernelArguments arguments = kernel_arguments(cell, states, workspace, segment.live);
    arguments.current = buffers[now];
    arguments.next = buffers[1 - now];
    arguments.steps = segment.steps;
    run(segment, arguments);
    now = static_cast<int>((now + segment.steps) % 2);
    if (!reverse) copy(now, 0, shorter, segment.live);
  }
  if (reverse && !segments.empty()) copy(now, 0, 0, segments.front().live);
}

}  // namespace rnnc::runtime
