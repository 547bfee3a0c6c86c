// Composite reductions in terms of sums and maxima, so that the code generator knows two reductions only.
#include "compiler/copy_forward.hpp"
#include "compiler/pass.hpp"

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

}  // namespace

Cell expand(const Cell& cell) {
  return copy_forward(cell, [](Cell& to, Node node) {
    return node.op == ir::Op::Reduce ? expand_reduction(to, std::move(node)) : to.append(std::move(node));
  });
}

}  // namespace rnnc::compiler
