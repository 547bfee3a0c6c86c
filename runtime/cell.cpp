#include "runtime/cell.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "runtime/kernel_float_mode.hpp"
#include "runtime/pack.hpp"
#include "runtime/sharing.hpp"
#include "runtime/sparse_panel.hpp"

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

Result<LoadedCell> pack_cell(Description description, const TensorRefs& weights) {
  AlignedBuffer block;
  if (const Result<void> packed = pack_weights(description, weights, block); !packed) return packed.error();
  take_off_zeros(description, {block.data(), static_cast<std::size_t>(block.size())});
  return LoadedCell{std::move(description), std::move(block), {}};
}

void finish_cell(LoadedCell& cell, Code code) {
  cell.code = std::move(code);
  const KernelFloatMode mode;
  if (cell.code.portable)
    prepare_portable(*cell.code.portable, cell.weights.data());
  else
    cell.code.prepare(cell.weights.data());
}

Result<LoadedCell> load_cell(Description description, Code code, const TensorRefs& weights) {
  Result<LoadedCell> cell = pack_cell(std::move(description), weights);
  if (cell) finish_cell(*cell, std::move(code));
  return cell;
}

CellWorkspace::CellWorkspace(const Description& description, std::int64_t most, std::int64_t steps, int threads)
    : rows(most),
      chunk_rows(most * std::min(runtime::chunk_steps(description, most), std::max<std::int64_t>(1, steps))) {
  next = AlignedBuffer(whole_lines(rows * description.doubled_row));
  in_place = AlignedBuffer(rows * description.in_place_row);
  sequence = AlignedBuffer(chunk_rows * description.sequence_row);
  step = AlignedBuffer(rows * description.step_row);
  // Code that was made for several threads reads the flag of its part also where one thread runs it.
  flags.resize(static_cast<std::size_t>(std::max(1, threads)));
}

std::int64_t workspace_bytes(const Description& description, std::int64_t rows, std::int64_t steps) {
  const std::int64_t chunk = std::min(chunk_steps(description, rows), std::max<std::int64_t>(1, steps));
  const std::int64_t row = description.doubled_row + description.in_place_row + description.step_row +
                           floats_of(chunk, description.sequence_row);
  return bytes_of(kRowFormat, floats_of(rows, row));
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

std::vector<float> run_once(const LoadedCell& cell) {
  const KernelFloatMode mode;
  std::vector<float> y(static_cast<std::size_t>(cell.description.output_size));
  const AlignedBuffer doubled(cell.description.doubled_row), in_place(cell.description.in_place_row);
  CellWorkspace workspace(cell.description, 1, 1, 1);
  KernelArguments arguments = kernel_arguments(cell, {doubled.data(), in_place.data()}, workspace, 1);
  arguments.y = y.data();
  run_alone(cell, arguments);
  return y;
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
