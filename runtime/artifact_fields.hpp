// This table gives the fields of everything that an artifact stores, in one order for writing and reading: `visit` is
// called with each field in turn.
#pragma once

#include <type_traits>

#include "runtime/artifact_file.hpp"

namespace rnnc::runtime {

template <class T, class Wanted>
concept Is = std::is_same_v<std::remove_const_t<T>, Wanted>;

template <Is<TensorInfo> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.name), visit(value.shape);
}
template <Is<StateInfo> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.tensor), visit(value.doubled), visit(value.offset), visit(value.size);
}
template <Is<VectorPacking> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.param), visit(value.offset), visit(value.size);
}
template <Is<MatrixPiece> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.param), visit(value.row), visit(value.column), visit(value.rows), visit(value.first_row),
      visit(value.gate);
}
template <Is<PanelPacking> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.offset), visit(value.units), visit(value.columns), visit(value.format), visit(value.gates),
      visit(value.lanes), visit(value.together), visit(value.tail_gates), visit(value.pieces);
}
template <Is<Description> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.cell), visit(value.cpu), visit(value.inputs), visit(value.params), visit(value.states);
  visit(value.output), visit(value.input_size), visit(value.output_size), visit(value.doubled_row);
  visit(value.in_place_row), visit(value.sequence_row), visit(value.step_row), visit(value.chunk_rows);
  visit(value.weights_size), visit(value.flops_per_step), visit(value.recurrent_bytes), visit(value.step_stages);
  visit(value.shared_bytes), visit(value.row_seconds), visit(value.weights_seconds), visit(value.block_groups),
      visit(value.vectors), visit(value.panels);
}
template <Is<CodeImage> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.code_begin), visit(value.run), visit(value.prepare), visit(value.bytes);
}
template <Is<Port> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.name), visit(value.shape);
}
template <Is<NamedPort> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.port), visit(value.time);
}
template <Is<Block> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.kind), visit(value.time), visit(value.width), visit(value.input), visit(value.first_wave),
      visit(value.last_wave);
}
template <Is<Piece> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.block), visit(value.begin), visit(value.end);
}
template <Is<Gather> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.from), visit(value.to);
}
template <Is<Repeat> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.time), visit(value.from), visit(value.to);
}
template <Is<Begin> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.cell), visit(value.state), visit(value.from);
}
template <Is<Scan> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.cell), visit(value.time), visit(value.reverse), visit(value.repeats), visit(value.x), visit(value.y);
}
template <Is<Rows> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.cell), visit(value.time), visit(value.x), visit(value.y);
}
template <Is<End> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.cell), visit(value.state), visit(value.to);
}
template <Is<ReduceTime> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.function), visit(value.time), visit(value.from), visit(value.to);
}
template <Is<NamedState> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.name), visit(value.cell), visit(value.state);
}
template <Is<StartState> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.cell), visit(value.state), visit(value.values);
}
template <Is<StepList> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.times), visit(value.blocks), visit(value.steps), visit(value.calls), visit(value.waves);
  visit(value.cells), visit(value.inputs), visit(value.states), visit(value.starts), visit(value.output);
  visit(value.output_time), visit(value.no_streaming), visit(value.pieces_of);
}
template <Is<StoredCode> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.description), visit(value.image);
}
template <Is<StoredCell> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.code), visit(value.weights);
}
template <Is<StoredProgram> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.features), visit(value.description), visit(value.list), visit(value.codes), visit(value.cells);
}
template <Is<StoredEntry> T, class Visitor>
void fields(T& value, Visitor&& visit) {
  visit(value.key), visit(value.features), visit(value.code);
}

}  // namespace rnnc::runtime
