#include "compiler/schedule/describe.hpp"

#include "compiler/passes/ranges.hpp"
#include "ir/check.hpp"

namespace rnnc::compiler {
namespace {

using ir::Cell;
using ir::Node;
using ir::Op;
using ir::Value;

// After simplification a matrix is a parameter, a slice of a parameter, or several of these one below the other.
runtime::MatrixPiece piece_of(const Cell& cell, Value matrix) {
  const Node* node = &cell[matrix];
  runtime::MatrixPiece piece;
  piece.rows = node->type.dims[0].value();
  if (node->op == Op::Slice) {
    piece.row = node->ranges[0].begin.value();
    if (node->ranges.size() > 1) piece.column = node->ranges[1].begin.value();
    node = &cell[node->operands[0]];
  }
  RNNC_ASSERT(node->op == Op::Param, &cell);
  piece.param = node->name;
  return piece;
}

}  // namespace

void describe_declarations(const Cell& cell, runtime::Description& description) {
  for (const Node& node : cell.nodes) {
    const runtime::TensorInfo info{node.name, shape_of(node.type)};
    if (node.op == Op::Input) description.inputs.push_back(info);
    if (node.op == Op::Param) description.params.push_back(info);
  }
  description.output = {"y", shape_of(cell[cell.output()].type)};
}

void describe_bounds(const Cell& cell, runtime::Description& description) {
  const std::map<std::string, Interval> bounds = bounds_of_states(cell);
  for (runtime::StateInfo& state : description.states)
    if (const auto found = bounds.find(state.tensor.name); found != bounds.end()) {
      state.low = static_cast<float>(found->second.low);
      state.high = static_cast<float>(found->second.high);
    }
}

std::vector<runtime::MatrixPiece> pieces_of(const Cell& cell, Value matrix, std::int64_t first_row, int gate) {
  const bool joined = cell[matrix].op == Op::Concat;
  std::vector<runtime::MatrixPiece> pieces;
  for (Value part : joined ? cell[matrix].operands : std::vector<Value>{matrix}) {
    runtime::MatrixPiece piece = piece_of(cell, part);
    piece.gate = gate;
    piece.first_row = first_row;
    first_row += piece.rows;
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

Result<void> check_integer_sums(const Cell& cell) {
  for (const Node& node : cell.nodes) {
    if (node.op != Op::Project || !ir::is_of_integers(cell, node)) continue;
    const std::int64_t columns = cell[node.operands[0]].type.dims[0].value();
    if (columns <= runtime::kMostIntegerColumns) continue;
    return Error{ErrorCode::Limit, cell.place(node.location),
                 "a product of " + std::to_string(columns) +
                     " columns is more than weights of integers allow, which is " +
                     std::to_string(runtime::kMostIntegerColumns) + "; use f16, bf16 or f32 weights"};
  }
  return {};
}

void add_product(Phase phase, std::int64_t elements, runtime::NumberFormat format, runtime::Description& description) {
  if (phase == Phase::Once) return;
  description.flops_per_step += 2 * static_cast<double>(elements);
  if (phase == Phase::Step) description.recurrent_bytes += static_cast<double>(runtime::bytes_of(format, elements));
}

void estimate_times(const Machine& machine, double rate, runtime::Description& description) {
  description.row_seconds = description.flops_per_step / (machine.flops_per_second * rate);
  description.weights_seconds = description.recurrent_bytes / machine.bytes_per_second(description.recurrent_bytes);
}

Result<void> check_weights_size(const Cell& cell, std::int64_t floats) {
  const std::int64_t bytes = runtime::bytes_of(runtime::kRowFormat, floats);
  if (bytes <= kMaxWeightsBytes) return {};
  return Error{ErrorCode::Limit, cell.place(cell.location),
               "the weights of cell " + cell.name + " take " + std::to_string(bytes) +
                   " bytes, more than the limit of " + std::to_string(kMaxWeightsBytes)};
}

}  // namespace rnnc::compiler
