#include "runtime/cell.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "runtime/kernel_float_mode.hpp"
#include "runtime/pack.hpp"
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

void permute_states(const Description& description, const Timeline& timeline, bool sort, AlignedBuffer& spare,
                    CellState& state) noexcept {
  permute(timeline, sort, state.buffers[state.current].data(), description.doubled_row,
          state.buffers[1 - state.current].data());
  state.current = 1 - state.current;
  permute(timeline, sort, state.in_place.data(), description.in_place_row, spare.data());
  std::swap(state.in_place, spare);
}

}  // namespace

std::int64_t chunk_steps(const Description& description, std::int64_t batch) {
  return std::max<std::int64_t>(1, description.chunk_rows / std::max<std::int64_t>(1, batch));
}

Result<LoadedCell> load_cell(Description description, Code code, const TensorRefs& weights) {
  Result<AlignedBuffer> block = pack_weights(description, weights);
  if (!block) return block.error();
  {
    const KernelFloatMode mode;
    if (code.portable)
      prepare_portable(*code.portable, block->data());
    else
      code.prepare(block->data());
  }
  return LoadedCell{std::move(description), std::move(*block), std::move(code)};
}

CellState::CellState(const Description& description, std::int64_t rows, int threads)
    : batch(rows), chunk_steps(runtime::chunk_steps(description, rows)) {
  for (AlignedBuffer& buffer : buffers) buffer = AlignedBuffer(rows * description.doubled_row);
  in_place = AlignedBuffer(rows * description.in_place_row);
  sequence = AlignedBuffer(chunk_steps * rows * description.sequence_row);
  step = AlignedBuffer(rows * description.step_row);
  if (threads > 1) flags.resize(static_cast<std::size_t>(threads));
}

float* CellState::row(const StateInfo& info, const Description& description, std::int64_t b) const {
  const AlignedBuffer& buffer = info.doubled ? buffers[current] : in_place;
  return buffer.data() + b * (info.doubled ? description.doubled_row : description.in_place_row) + info.offset;
}

std::int64_t state_bytes(const Description& description, std::int64_t rows) {
  const std::int64_t row = 2 * description.doubled_row + description.in_place_row + description.step_row +
                           chunk_steps(description, rows) * description.sequence_row;
  return bytes_of(kRowFormat, rows * row);
}

KernelArguments kernel_arguments(const LoadedCell& cell, CellState& state) noexcept {
  const Description& description = cell.description;
  return {.x = nullptr,
          .y = nullptr,
          .current = state.buffers[state.current].data(),
          .next = state.buffers[1 - state.current].data(),
          .in_place = state.in_place.data(),
          .sequence = state.sequence.data(),
          .step = state.step.data(),
          .weights = cell.weights.data(),
          .x_step = state.batch * description.input_size,
          .y_step = state.batch * description.output_size,
          .steps = 1,
          .batch = state.batch,
          .chunk_steps = state.chunk_steps,
          .x_row = description.input_size,
          .y_row = description.output_size,
          .flags = state.flags.data(),
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
  CellState state(cell.description, 1, 1);
  KernelArguments arguments = kernel_arguments(cell, state);
  arguments.y = y.data();
  run_alone(cell, arguments);
  return y;
}

void sort_states(const Description& description, const Timeline& timeline, AlignedBuffer& spare,
                 CellState& state) noexcept {
  permute_states(description, timeline, true, spare, state);
}

void unsort_states(const Description& description, const Timeline& timeline, AlignedBuffer& spare,
                   CellState& state) noexcept {
  permute_states(description, timeline, false, spare, state);
}

}  // namespace rnnc::runtime
