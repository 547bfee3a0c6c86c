// This file runs a loaded cell: it fills the arguments of the kernel and shares the work among threads.
#include "runtime/cell.hpp"

#include <algorithm>
#include <thread>

#include "runtime/sharing.hpp"

namespace rnnc::runtime {
namespace {

// Returns the arguments of a call on sequences [first, first + count) of the whole call.
KernelArguments slice(const Description& description, const KernelArguments& whole, std::int64_t first,
                      std::int64_t count) noexcept {
  KernelArguments part = whole;
  part.x += first * whole.x_row;
  part.y += first * whole.y_row;
  part.current += first * description.doubled_row;
  part.next += first * description.doubled_row;
  part.in_place += first * description.in_place_row;
  part.sequence += first * whole.chunk_steps * description.sequence_row;
  part.step += first * description.step_row;
  part.batch = count;
  return part;
}

void run_alone(const LoadedCell& cell, const KernelArguments& arguments) noexcept {
  if (cell.code.portable)
    run_portable(*cell.code.portable, arguments);
  else
    cell.code.run(&arguments);
}

// A call whose work several threads share.
struct Call {
  const LoadedCell& cell;
  const KernelArguments& arguments;
  Shares shares;

  void operator()(int part) const noexcept {
    if (shares.sharing == Sharing::Units) {
      KernelArguments mine = arguments;
      mine.part = part;
      mine.parts = shares.parts;
      return run_alone(cell, mine);
    }
    const std::int64_t first = arguments.batch * part / shares.parts, end = arguments.batch * (part + 1) / shares.parts;
    KernelArguments mine = slice(cell.description, arguments, first, end - first);
    mine.flags += part;
    run_alone(cell, mine);
  }
};

// Runs the call on several threads. Returns false, with nothing done, if one thread is best or the others are not
// available.
bool run_shared(const LoadedCell& cell, const Threads& threads, const KernelArguments& arguments,
                std::vector<Flag>& flags) noexcept {
  for (Flag& flag : flags) flag.stages = 0;
  Call call{cell, arguments,
            choose_shares(cell.description, threads.sharing,
                          threads.sharing == Sharing::Auto ? threads.useful : threads.count, arguments.steps,
                          arguments.batch)};
  if (call.shares.parts == 1) return false;
  return run_parts(threads, call, call.shares.parts, call.shares.saving);
}

// Copies rows from one buffer to another: from the caller's order to that of the timeline if `sort`, otherwise back.
void permute(const Timeline& timeline, bool sort, const float* from, std::int64_t width, float* to) noexcept {
  if (width == 0) return;
  for (std::int64_t i = 0; i < timeline.batch(); ++i) {
    const std::int64_t theirs = timeline.sequence(i);
    std::copy_n(from + (sort ? theirs : i) * width, width, to + (sort ? i : theirs) * width);
  }
}

}  // namespace

std::int64_t chunk_steps(const Description& description, std::int64_t batch) {
  return std::max<std::int64_t>(1, description.chunk_rows / std::max<std::int64_t>(1, batch));
}

KernelArguments kernel_arguments(const LoadedCell& cell, const CellRows& states, CellWorkspace& workspace,
                                 std::int64_t batch) noexcept {
  const Description& description = cell.description;
  return {.x = nullptr,
          .y = nullptr,
          .current = states.doubled,
          .next = workspace.next.data(),
          .in_place = states.in_place,
          .sequence = workspace.sequence.data(),
          .step = workspace.step.data(),
          .weights = cell.weights.data(),
          .x_step = batch * description.input_size,
          .y_step = batch * description.output_size,
          .steps = 1,
          .batch = batch,
          .chunk_steps = batch == 1 ? workspace.chunk_rows : workspace.chunk_rows / batch,  // a division takes long
          .x_row = description.input_size,
          .y_row = description.output_size,
          .flags = workspace.flags.data(),
          .part = 0,
          .parts = 1,
          .yield = [] { std::this_thread::yield(); }};
}

void run_kernel(const LoadedCell& cell, const Threads& threads, const KernelArguments& arguments,
                std::vector<Flag>& flags) noexcept {
  if (threads.count == 1 || !run_shared(cell, threads, arguments, flags)) run_alone(cell, arguments);
}

void sort_states(const Description& description, const Timeline& timeline, const CellRows& callers,
                 const CellRows& sorted) noexcept {
  permute(timeline, true, callers.doubled, description.doubled_row, sorted.doubled);
  permute(timeline, true, callers.in_place, description.in_place_row, sorted.in_place);
}

void unsort_states(const Description& description, const Timeline& timeline, const CellRows& sorted,
                   const CellRows& callers) noexcept {
  permute(timeline, false, sorted.doubled, description.doubled_row, callers.doubled);
  permute(timeline, false, sorted.in_place, description.in_place_row, callers.in_place);
}

}  // namespace rnnc::runtime
