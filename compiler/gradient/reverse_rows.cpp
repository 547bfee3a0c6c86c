// This file has the rules of the reverse sweep for the ops that make rows of a step, or take them.
#include <utility>
#include <vector>

#include "compiler/gradient/reverse.hpp"

namespace rnnc::compiler {
namespace {

using ir::Function;
using ir::Node;
using ir::Reduction;
using ir::RowOp;
using ir::Value;

class RowsReverse {
 public:
  RowsReverse(Reverse& reverse, const Node& node) : reverse_(reverse), node_(node), x_(node.operands[0]) {}

  void run(Value cotangent) {
    switch (node_.row_op) {
      case RowOp::Split: return reverse_.add(x_, reverse_.rows_op(RowOp::Flatten, {cotangent}));
      case RowOp::Flatten: return reverse_.add(x_, reverse_.rows_op(RowOp::Split, {cotangent}, 0, dim(x_, 0)));
      case RowOp::Windows: return windows(cotangent);
      case RowOp::Pad: return reverse_.add(x_, middle(cotangent));
      case RowOp::Reflect: return reflect(cotangent);
      case RowOp::Beside: return beside(cotangent);
      case RowOp::Sum: return reverse_.add(x_, over_rows(cotangent));
      case RowOp::Mean: return reverse_.add(x_, over_rows(reverse_.apply(Function::Div, cotangent, count())));
      case RowOp::Max: return max(cotangent);
    }
  }

 private:
  std::int64_t dim(Value value, std::size_t i) const { return reverse_.graph()[value].type.dims[i].value(); }
  Value constant(float value) { return reverse_.graph().constant(value); }
  Value count() { return constant(static_cast<float>(dim(x_, 0))); }

  // A vector is the same in each row.
  Value over_rows(Value vector) { return reverse_.spread(vector, x_); }

  // Element i of window j is element j * stride + i of the operand. The elements whose i is in one range of `stride`
  // lie side by side in the operand, so that each such range is added at once.
  void windows(Value cotangent) {
    const std::int64_t feature = reverse_.graph()[x_].type.rank() == 2 ? dim(x_, 1) : 1;
    const std::int64_t size = node_.ranges[0].begin.value() * feature, stride = node_.ranges[0].end.value() * feature;
    const std::int64_t total = dim(x_, 0) * feature, windows = dim(cotangent, 0);
    std::vector<Value> sums;
    for (std::int64_t begin = 0; begin < size; begin += stride) {
      const std::int64_t end = std::min(size, begin + stride);
      Value part = reverse_.slice(cotangent, {{0, windows}, {begin, end}});
      if (end - begin < stride)
        part = reverse_.rows_op(RowOp::Beside, {part, reverse_.zero_rows(windows, begin + stride - end)});
      part = reverse_.rows_op(RowOp::Flatten, {part});
      // The last range may reach past the operand: only by zeros that were put beside it.
      const std::int64_t length = std::min(windows * stride, total - begin);
      part = reverse_.slice(part, {{0, length}});
      const std::int64_t after = total - begin - length;
      sums.push_back(begin == 0 && after == 0 ? part : reverse_.rows_op(RowOp::Pad, {part}, begin, after));
    }
    Value sum = sums[0];
    for (std::size_t i = 1; i < sums.size(); ++i) sum = reverse_.apply(Function::Add, sum, sums[i]);
    const bool is_rows = reverse_.graph()[x_].type.rank() == 2;
    reverse_.add(x_, is_rows ? reverse_.rows_op(RowOp::Split, {sum}, 0, dim(x_, 0)) : sum);
  }

  Value cut(Value value, std::int64_t begin, std::int64_t end) { return reverse_.slice(value, {{begin, end}}); }

  // The part of a padded value's cotangent that belongs to the operand.
  Value middle(Value cotangent) {
    const std::int64_t before = node_.ranges[0].begin.value();
    return cut(cotangent, before, before + dim(x_, 0));
  }

  // Element before - i, in front of the operand, is element i of it; so is element before + count - 1 + k behind it
  // element count - 1 - k.
  void reflect(Value cotangent) {
    const std::int64_t before = node_.ranges[0].begin.value(), after = node_.ranges[0].end.value();
    const std::int64_t count = dim(x_, 0);
    reverse_.add(x_, middle(cotangent));
    const auto mirrored = [&](std::int64_t length, std::int64_t last, std::int64_t front) {
      std::vector<Value> parts;
      for (std::int64_t i = 0; i < length; ++i) parts.push_back(cut(cotangent, last - i, last - i + 1));
      const Value joined = reverse_.graph().concat(std::move(parts));
      const std::int64_t behind = count - front - length;
      reverse_.add(x_, front == 0 && behind == 0 ? joined : reverse_.rows_op(RowOp::Pad, {joined}, front, behind));
    };
    if (before > 0) mirrored(before, before - 1, 1);
    if (after > 0) mirrored(after, before + count + after - 1, count - 1 - after);
  }

  void beside(Value cotangent) {
    std::int64_t begin = 0;
    const std::int64_t rows = dim(cotangent, 0);
    for (const Value operand : node_.operands) {
      const std::int64_t end = begin + dim(operand, 1);
      reverse_.add(operand, reverse_.slice(cotangent, {{0, rows}, {begin, end}}));
      begin = end;
    }
  }

  // Rows that have the largest element share its cotangent evenly.
  void max(Value cotangent) {
    ir::Graph& graph = reverse_.graph();
    const Value largest = reverse_.rows_op(RowOp::Max, {x_});
    const Value is_largest = graph.map(Function::Select, {largest, x_, constant(0), constant(1)});
    const Value share = reverse_.apply(Function::Div, cotangent, reverse_.rows_op(RowOp::Sum, {is_largest}));
    reverse_.add(x_, reverse_.apply(Function::Mul, is_largest, share));
  }

  Reverse& reverse_;
  const Node node_;
  const Value x_;
};

}  // namespace

void reverse_rows(Reverse& reverse, const Node& node, Value cotangent) { RowsReverse(reverse, node).run(cotangent); }

}  // namespace rnnc::compiler
