// Rows become vectors (rows.cpp). Composite reductions (mean, softmax, layer_norm) become sums, maxima and element-wise
// functions, and a lookup in joined matrices becomes one lookup for each matrix. The code generator then has fewer ops
// to know.
#include <optional>
#include <vector>

#include "compiler/passes/copy_forward.hpp"
#include "compiler/passes/pass.hpp"
#include "compiler/passes/windows.hpp"

namespace rnnc::compiler {
namespace {

using ir::Cell;
using ir::Function;
using ir::Node;
using ir::Reduction;
using ir::Value;

float length(const Cell& cell, Value vector) { return static_cast<float>(cell[vector].type.dims[0].value()); }

Value mean(Cell& cell, Value vector) {
  return cell.map(Function::Div, {cell.reduce(Reduction::Sum, {vector}), cell.constant(length(cell, vector))});
}

Value softmax(Cell& cell, Value vector) {
  const Value largest = cell.reduce(Reduction::Max, {vector});
  const Value weight = cell.map(Function::Exp, {cell.map(Function::Sub, {vector, largest})});
  return cell.map(Function::Div, {weight, cell.reduce(Reduction::Sum, {weight})});
}

Value layer_norm(Cell& cell, Value vector, Value gamma, Value beta, Value epsilon) {
  const Value centred = cell.map(Function::Sub, {vector, mean(cell, vector)});
  const Value variance = mean(cell, cell.map(Function::Mul, {centred, centred}));
  const Value scale = cell.map(Function::Rsqrt, {cell.map(Function::Add, {variance, epsilon})});
  const Value normal = cell.map(Function::Mul, {centred, scale});
  return cell.map(Function::Add, {cell.map(Function::Mul, {normal, gamma}), beta});
}

Value expand_reduction(Cell& cell, Node node) {
  switch (node.reduction) {
    case Reduction::Sum:
    case Reduction::Max:
    case Reduction::Argmax: return cell.append(std::move(node));
    case Reduction::Mean: return mean(cell, node.operands[0]);
    case Reduction::Softmax: return softmax(cell, node.operands[0]);
    case Reduction::LayerNorm:
      return layer_norm(cell, node.operands[0], node.operands[1], node.operands[2], node.operands[3]);
  }
  return {};
}

Value look_up(Cell& cell, const MatrixWindow& part, Value index) {
  const Value rows =
      cell.append({.op = ir::Op::Slice,
                   .operands = {part.matrix},
                   .ranges = {{part.row, part.row + part.rows}, {part.column, part.column + part.columns}}});
  return cell.append({.op = ir::Op::Lookup, .operands = {rows, index}});
}

// The number of a row tells which part has that row. A number that no part has gives NaN in every part.
Value expand_lookup(Cell& cell, Node node) {
  const Value index = node.operands[1];
  const std::vector<MatrixWindow> parts = windows_of(cell, node.operands[0]);
  if (parts.size() == 1) return cell.append(std::move(node));
  std::int64_t before = cell[node.operands[0]].type.dims[0].value();
  std::optional<Value> result;
  for (std::size_t i = parts.size(); i-- > 0;) {
    const Value end = cell.constant(static_cast<float>(before));
    before -= parts[i].rows;
    const Value own = i == 0 ? index : cell.map(Function::Sub, {index, cell.constant(static_cast<float>(before))});
    const Value row = look_up(cell, parts[i], own);
    result = result ? cell.map(Function::Select, {end, index, row, *result}) : row;
  }
  return *result;
}

}  // namespace

Cell expand(const Cell& cell) {
  return copy_forward(Cell(lower_rows(cell)), [](Cell& to, Node node) {
    if (node.op == ir::Op::Reduce) return expand_reduction(to, std::move(node));
    if (node.op == ir::Op::Lookup) return expand_lookup(to, std::move(node));
    return to.append(std::move(node));
  });
}

}  // namespace rnnc::compiler
