#include "ir/evaluator.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ir/check.hpp"

namespace rnnc::ir {

namespace {

std::int64_t extent(const Type& type, std::size_t dim) { return dim < type.rank() ? type.dims[dim].value() : 1; }

// Tells whether the value of a node is bound from outside at each step.
bool is_leaf(const Node& node) { return node.op == Op::Input || node.op == Op::State || node.op >= Op::Scan; }

}  // namespace

Evaluator::Evaluator(const Graph& graph, const NamedVectors& params, Rounding* rounding)
    : graph_(graph),
      rounding_(rounding),
      views_(graph.nodes.size()),
      storage_(graph.nodes.size()),
      varies_(graph.nodes.size()) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const std::int64_t columns = extent(node.type, 1);
    views_[i] = {nullptr, extent(node.type, 0), columns, columns};
    if (node.op == Op::Param) {
      const auto found = params.find(node.name);
      RNNC_ASSERT(found != params.end(), &graph);
      RNNC_ASSERT(std::ssize(found->second) == elements(node.type), &graph);
      views_[i].data = found->second.data();
      continue;
    }
    varies_[i] = is_leaf(node) ||
                 std::any_of(node.operands.begin(), node.operands.end(), [&](Value v) { return varies_[v.index]; });
    if (!varies_[i]) {
      compute(i);
    } else if (!is_leaf(node)) {
      varying_.push_back(i);
    }
  }
}

void Evaluator::compute(std::size_t index) {
  const Node& node = graph_.nodes[index];
  if (rounding_) rounding_->at(index);
  View& result = views_[index];
  Vector& memory = storage_[index];
  const auto store = [&]() -> double* {
    memory.resize(static_cast<std::size_t>(elements(node.type)));
    result.data = memory.data();
    return memory.data();
  };
  switch (node.op) {
    case Op::Input:
    case Op::State:
    case Op::Param:
    case Op::Scan:
    case Op::FinalState:
    case Op::OverTime: internal_error(&graph_, "a leaf has no evaluation");
    case Op::Constant: *store() = node.constant; return;
    case Op::Slice: slice(node, result); return;
    case Op::Concat: concat(node, store()); return;
    case Op::Matvec: {
      if (node.type.is_rows) return matvec_of_rows(node, store());
      static constexpr double zero = 0;
      const View start = {&zero, 1, 1, 1};
      if (rounding_)
        rounded_matvec(operand(node, 0), operand(node, 1), start, store());
      else
        matvec(operand(node, 0), operand(node, 1), start, store());
      return;
    }
    case Op::Lookup: lookup(node, store()); return;
    case Op::Project: is_of_integers(graph_, node) ? project_integers(node, store()) : project(node, store()); return;
    case Op::Map:
      if (node.type.is_rows) return map_of_rows(node, store());
      map(node, result.rows, store());
      return;
    case Op::Reduce:
      node.type.is_rows ? reduce_of_rows(node, memory) : reduce(node, memory);
      result.data = memory.data();
      return;
    case Op::Hoist: result = operand(node, 0); return;
    case Op::Fill: std::fill_n(store(), elements(node.type), operand(node, 0).data[0]); return;
    case Op::Quantize: quantize(node, store()); return;
    case Op::Rows: compute_rows(node, store()); return;
  }
}

void Evaluator::slice(const Node& node, View& result) const {
  const View& whole = operand(node, 0);
  result.stride = whole.stride;
  result.data = whole.data + node.ranges[0].begin.value() * whole.stride;
  if (node.ranges.size() == 2) result.data += node.ranges[1].begin.value();
}

double* Evaluator::concat(const Node& node, double* out) const {
  for (const Value part : node.operands) {
    const View& view = views_[part.index];
    for (std::int64_t r = 0; r < view.rows; ++r) {
      const double* row = view.data + r * view.stride;
      out = std::copy(row, row + view.columns, out);
    }
  }
  return out;
}

double* Evaluator::matvec(const View& matrix, const View& x, const View& start, double* out) const {
  for (std::int64_t r = 0; r < matrix.rows; ++r) {
    const double* row = matrix.data + r * matrix.stride;
    double sum = start.spread(r);
    for (std::int64_t k = 0; k < matrix.columns; ++k) sum += row[k] * x.data[k];
    *out++ = sum;
  }
  return out;
}

// Rounds every multiply-add.
double* Evaluator::rounded_matvec(const View& matrix, const View& x, const View& start, double* out) const {
  for (std::int64_t r = 0; r < matrix.rows; ++r) {
    const double* row = matrix.data + r * matrix.stride;
    double sum = start.spread(r);
    for (std::int64_t k = 0; k < matrix.columns; ++k) sum = (*rounding_)(sum + row[k] * x.data[k]);
    *out++ = sum;
  }
  return out;
}

void Evaluator::lookup(const Node& node, double* out) const {
  const View& matrix = operand(node, 0);
  const double row = *operand(node, 1).data;
  if (row >= 0 && row < static_cast<double>(matrix.rows) && row == std::floor(row)) {
    const double* from = matrix.data + static_cast<std::int64_t>(row) * matrix.stride;
    std::copy(from, from + matrix.columns, out);
  } else {
    std::fill_n(out, matrix.columns, std::numeric_limits<double>::quiet_NaN());
  }
}

void Evaluator::project(const Node& node, double* out) const {
  for (std::size_t i = 1; i < node.operands.size(); i += 2) {
    const View &matrix = operand(node, i), &x = operand(node, 0), &start = operand(node, i + 1);
    out = rounding_ ? rounded_matvec(matrix, x, start, out) : matvec(matrix, x, start, out);
  }
}

void Evaluator::map(const Node& node, std::int64_t count, double* out) const {
  double operands[runtime::kMostOperands];
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < node.operands.size(); ++k) operands[k] = operand(node, k).spread(i);
    out[i] = evaluate(node.function, operands);
    if (rounding_) out[i] = (*rounding_)(out[i], facts(node.function).ulp, facts(node.function).floor);
  }
}

void Evaluator::reduce(const Node& node, Vector& out) const {
  std::vector<Vector> operands;
  for (const Value value : node.operands) operands.push_back(views_[value.index].to_vector());
  out = rounding_ ? rounding_->reduce(node.reduction, operands) : evaluate(node.reduction, operands);
}

}  // namespace rnnc::ir
