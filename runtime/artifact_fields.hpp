// This table gives the fields of everything that an artifact stores, in one order for writing and reading.
#pragma once

#include <tuple>
#include <type_traits>

#include "runtime/artifact_file.hpp"

namespace rnnc::runtime {

template <class T, class Wanted>
concept Is = std::is_same_v<std::remove_const_t<T>, Wanted>;

auto fields(Is<TensorInfo> auto& x) { return std::tie(x.name, x.shape); }
auto fields(Is<StateInfo> auto& x) { return std::tie(x.tensor, x.doubled, x.offset, x.size, x.low, x.high); }
auto fields(Is<VectorPacking> auto& x) { return std::tie(x.param, x.offset, x.size); }
auto fields(Is<MatrixPiece> auto& x) { return std::tie(x.param, x.row, x.column, x.rows, x.first_row, x.gate); }
auto fields(Is<PanelPacking> auto& x) {
  return std::tie(x.offset, x.units, x.columns, x.format, x.gates, x.lanes, x.together, x.tail_gates, x.pieces,
                  x.shifted, x.sparse);
}
auto fields(Is<Description> auto& x) {
  return std::tie(x.cell, x.cpu, x.inputs, x.params, x.states, x.output, x.input_size, x.output_size, x.doubled_row,
                  x.in_place_row, x.sequence_row, x.step_row, x.chunk_rows, x.weights_size, x.flops_per_step,
                  x.recurrent_bytes, x.step_stages, x.shared_bytes, x.row_seconds, x.weights_seconds, x.block_groups,
                  x.vectors, x.panels);
}
auto fields(Is<CodeImage> auto& x) { return std::tie(x.code_begin, x.run, x.prepare, x.bytes); }
auto fields(Is<Port> auto& x) { return std::tie(x.name, x.shape); }
auto fields(Is<NamedPort> auto& x) { return std::tie(x.port, x.time); }
auto fields(Is<Block> auto& x) { return std::tie(x.kind, x.time, x.width, x.input, x.first_wave, x.last_wave); }
auto fields(Is<Piece> auto& x) { return std::tie(x.block, x.begin, x.end); }
auto fields(Is<Gather> auto& x) { return std::tie(x.from, x.to); }
auto fields(Is<Repeat> auto& x) { return std::tie(x.time, x.from, x.to); }
auto fields(Is<Begin> auto& x) { return std::tie(x.cell, x.state, x.from); }
auto fields(Is<Scan> auto& x) { return std::tie(x.cell, x.time, x.reverse, x.repeats, x.x, x.y); }
auto fields(Is<Rows> auto& x) { return std::tie(x.cell, x.time, x.x, x.y); }
auto fields(Is<End> auto& x) { return std::tie(x.cell, x.state, x.to); }
auto fields(Is<ReduceTime> auto& x) { return std::tie(x.function, x.time, x.from, x.to); }
auto fields(Is<NamedState> auto& x) { return std::tie(x.name, x.cell, x.state); }
auto fields(Is<StartState> auto& x) { return std::tie(x.cell, x.state, x.values); }
auto fields(Is<Output> auto& x) { return std::tie(x.port, x.time, x.from); }
auto fields(Is<StepList> auto& x) {
  return std::tie(x.times, x.blocks, x.steps, x.calls, x.waves, x.cells, x.inputs, x.states, x.starts, x.outputs,
                  x.no_streaming, x.pieces_of);
}
auto fields(Is<StoredCode> auto& x) { return std::tie(x.description, x.image); }
auto fields(Is<StoredCell> auto& x) { return std::tie(x.code, x.weights); }
auto fields(Is<StoredLevel> auto& x) { return std::tie(x.cpu, x.features, x.codes, x.cells); }
auto fields(Is<StoredProgram> auto& x) { return std::tie(x.description, x.list, x.weights, x.levels); }
auto fields(Is<StoredEntry> auto& x) { return std::tie(x.key, x.features, x.code); }

}  // namespace rnnc::runtime
