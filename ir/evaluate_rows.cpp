// This part of the evaluator computes rows. Rows are matrices in memory, and a vector is the same in each row.
#include <algorithm>

#include "ir/evaluator.hpp"

namespace rnnc::ir {
namespace {

// Returns the element of an operand at a row and a feature; what the operand has once is the same everywhere.
double at(const View& view, const Type& type, std::int64_t row, std::int64_t feature) {
  if (type.rank() == 0) return view.data[0];
  if (type.rank() == 1) return view.data[feature];
  return view.data[row * view.stride + (view.columns == 1 ? 0 : feature)];
}

// Returns the place in an operand of `size` that a reflected place, from -before on, shows.
std::int64_t mirrored(std::int64_t place, std::int64_t size) {
  if (place < 0) return -place;
  return place < size ? place : 2 * (size - 1) - place;
}

}  // namespace

void Evaluator::compute_rows(const Node& node, double* out) const {
  const View& from = operand(node, 0);
  const auto copy_row = [&](const View& view, std::int64_t row) {
    const double* begin = view.data + row * view.stride;
    out = std::copy(begin, begin + view.columns, out);
  };
  switch (node.row_op) {
    case RowOp::Split:
    case RowOp::Flatten:
      for (std::int64_t row = 0; row < from.rows; ++row) copy_row(from, row);
      return;
    case RowOp::Windows: windows(node, out); return;
    case RowOp::Pad:
    case RowOp::Reflect: pad(node, out); return;
    case RowOp::Beside:
      for (std::int64_t row = 0; row < from.rows; ++row)
        for (const Value part : node.operands) copy_row(views_[part.index], row);
      return;
    case RowOp::Sum:
    case RowOp::Mean:
    case RowOp::Max: reduce_rows(node, out); return;
  }
}

void Evaluator::windows(const Node& node, double* out) const {
  const View& from = operand(node, 0);
  const std::int64_t size = node.ranges[0].begin.value(), stride = node.ranges[0].end.value();
  for (std::int64_t first = 0; first + size <= from.rows; first += stride)
    for (std::int64_t row = first; row < first + size; ++row)
      out = std::copy_n(from.data + row * from.stride, from.columns, out);
}

void Evaluator::pad(const Node& node, double* out) const {
  const View& from = operand(node, 0);
  const std::int64_t before = node.ranges[0].begin.value(), after = node.ranges[0].end.value();
  for (std::int64_t row = -before; row < from.rows + after; ++row) {
    const bool inside = row >= 0 && row < from.rows;
    if (inside || node.row_op == RowOp::Reflect)
      out = std::copy_n(from.data + mirrored(row, from.rows) * from.stride, from.columns, out);
    else
      out = std::fill_n(out, from.columns, 0.0);
  }
}

void Evaluator::reduce_rows(const Node& node, double* out) const {
  const View& from = operand(node, 0);
  const auto rounded = [&](double value) { return rounding_ ? (*rounding_)(value) : value; };
  for (std::int64_t c = 0; c < from.columns; ++c) {
    double result = from.data[c];
    for (std::int64_t row = 1; row < from.rows; ++row) {
      const double next[] = {result, from.data[row * from.stride + c]};
      result = node.row_op == RowOp::Max ? evaluate(Function::Max, next) : rounded(next[0] + next[1]);
    }
    if (node.row_op == RowOp::Mean) result = rounded(result / static_cast<double>(from.rows));
    out[c] = result;
  }
}

void Evaluator::matvec_of_rows(const Node& node, double* out) const {
  static constexpr double zero = 0;
  const View start = {&zero, 1, 1, 1};
  const View& rows = operand(node, 1);
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    const View x = {rows.data + row * rows.stride, rows.columns, 1, 1};
    out = rounding_ ? rounded_matvec(operand(node, 0), x, start, out) : matvec(operand(node, 0), x, start, out);
  }
}

void Evaluator::map_of_rows(const Node& node, double* out) const {
  double operands[runtime::kMostOperands];
  for (std::int64_t row = 0; row < node.type.dims[0].value(); ++row)
    for (std::int64_t c = 0; c < node.type.dims[1].value(); ++c) {
      for (std::size_t k = 0; k < node.operands.size(); ++k)
        operands[k] = at(operand(node, k), graph_[node.operands[k]].type, row, c);
      *out = evaluate(node.function, operands);
      if (rounding_) *out = (*rounding_)(*out, facts(node.function).ulp, facts(node.function).floor);
      ++out;
    }
}

void Evaluator::reduce_of_rows(const Node& node, Vector& out) const {
  out.clear();
  for (std::int64_t row = 0; row < node.type.dims[0].value(); ++row) {
    std::vector<Vector> operands;
    for (const Value value : node.operands) {
      const Type& type = graph_[value].type;
      Vector& one = operands.emplace_back();
      const std::int64_t size = type.rank() == 0 ? 1 : type.dims.back().value();
      for (std::int64_t c = 0; c < size; ++c) one.push_back(at(views_[value.index], type, row, c));
    }
    const Vector result = rounding_ ? rounding_->reduce(node.reduction, operands) : evaluate(node.reduction, operands);
    out.insert(out.end(), result.begin(), result.end());
  }
}

}  // namespace rnnc::ir
