// This file makes a loaded cell of its description, weights and code, and the memory of its calls. A program does so
// once, so the file is built for size.
#include <algorithm>
#include <utility>

#include "runtime/cell.hpp"
#include "runtime/pack.hpp"
#include "runtime/sparse_panel.hpp"

namespace rnnc::runtime {

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

std::vector<float> run_once(const LoadedCell& cell) {
  const KernelFloatMode mode;
  std::vector<float> y(static_cast<std::size_t>(cell.description.output_size));
  const AlignedBuffer doubled(cell.description.doubled_row), in_place(cell.description.in_place_row);
  CellWorkspace workspace(cell.description, 1, 1, 1);
  KernelArguments arguments = kernel_arguments(cell, {doubled.data(), in_place.data()}, workspace, 1);
  arguments.y = y.data();
  run_kernel(cell, Threads{}, arguments, workspace.flags);
  return y;
}

}  // namespace rnnc::runtime
