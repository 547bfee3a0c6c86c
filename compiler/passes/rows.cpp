// Rows become vectors, one for each row, so that all that follows knows vectors and matrices only. A row of width 1 may
// be a scalar or a vector of one element, whichever its node gives; what reads it asks for the one that it needs.
#include <algorithm>
#include <utility>
#include <vector>

#include "compiler/passes/pass.hpp"
#include "ir/check.hpp"

namespace rnnc::compiler {
namespace {

using ir::Dim;
using ir::Function;
using ir::Graph;
using ir::Node;
using ir::Op;
using ir::Reduction;
using ir::Type;
using ir::Value;
using Parts = std::vector<Value>;  // the rows of a value; a value that is no rows is its only part

class RowLowering {
 public:
  explicit RowLowering(const Graph& from) : from_(from), parts_(from.nodes.size()) {}

  Graph run() {
    to_.kind = from_.kind;
    to_.name = from_.name;
    to_.source = from_.source;
    to_.dims = from_.dims;
    to_.location = from_.location;
    for (std::size_t i = 0; i < from_.nodes.size(); ++i) parts_[i] = lower(from_.nodes[i]);
    for (ir::Statement statement : from_.statements) {
      if (from_[statement.value].type.is_rows) continue;
      statement.value = parts_[statement.value.index][0];
      to_.statements.push_back(std::move(statement));
    }
    return std::move(to_);
  }

 private:
  const Type& type(Value value) const { return from_[value].type; }

  static std::int64_t count_of(const Type& type) { return type.rank() == 2 ? type.dims[0].value() : 1; }

  Value zeros(std::int64_t size) { return fill(to_.constant(0), size); }

  Value fill(Value scalar, std::int64_t size) {
    return to_.append({.op = Op::Fill, .operands = {scalar}, .ranges = {{Dim(0), Dim(size)}}});
  }

  // Returns a row as a scalar: the maximum of one element is the element, also if it is NaN or -0.
  Value scalar(Value row) { return to_[row].type.rank() == 0 ? row : to_.reduce(Reduction::Max, {row}); }
  Value vector(Value row) { return to_[row].type.rank() == 0 ? fill(row, 1) : row; }

  // Returns the rows of rows, or of a matrix of parameters.
  Parts rows_of(Value value) {
    if (type(value).is_rows) return parts_[value.index];
    RNNC_ASSERT(type(value).rank() == 2, &from_);
    Parts rows;
    for (std::int64_t i = 0; i < count_of(type(value)); ++i)
      rows.push_back(
          to_.append({.op = Op::Lookup, .operands = {parts_[value.index][0], to_.constant(static_cast<float>(i))}}));
    return rows;
  }

  Parts vectors_of(Value value) {
    Parts rows = rows_of(value);
    for (Value& row : rows) row = vector(row);
    return rows;
  }

  Parts lower(const Node& node) {
    switch (node.op) {
      case Op::Input:
      case Op::State:
      case Op::Param:
      case Op::Constant:
      case Op::Lookup:
      case Op::Project:
      case Op::Fill:
      case Op::Quantize:
      case Op::Scan:
      case Op::FinalState:
      case Op::OverTime: return {copy(node)};
      case Op::Map: return node.type.is_rows ? map(node) : Parts{copy(node)};
      case Op::Reduce: return node.type.is_rows ? reduce(node) : Parts{copy(node)};
      case Op::Matvec: return node.type.is_rows ? matvec(node) : Parts{copy(node)};
      case Op::Slice: return node.type.is_rows ? slice(node) : Parts{copy(node)};
      case Op::Concat: return node.type.is_rows ? concat(node) : Parts{copy(node)};
      case Op::Hoist: return node.type.is_rows ? hoist(node) : Parts{copy(node)};
      case Op::Rows: return lower_row_op(node);
    }
    ir::internal_error(&from_, "an op that does not exist");
  }

  Parts lower_row_op(const Node& node) {
    switch (node.row_op) {
      case ir::RowOp::Split: return split(node);
      case ir::RowOp::Flatten: return {to_.concat(vectors_of(node.operands[0]))};
      case ir::RowOp::Windows: return windows(node);
      case ir::RowOp::Pad: return pad(node);
      case ir::RowOp::Reflect: return reflect(node);
      case ir::RowOp::Beside: return beside(node);
      case ir::RowOp::Sum:
      case ir::RowOp::Mean:
      case ir::RowOp::Max: return {over_rows(node)};
    }
    ir::internal_error(&from_, "an op of rows that does not exist");
  }

  Value copy(Node node) {
    for (Value& operand : node.operands) operand = parts_[operand.index][0];
    return to_.append(std::move(node));
  }

  Parts map(const Node& node) {
    const Dim& width = node.type.dims[1];
    std::vector<Parts> operands;
    for (const Value operand : node.operands) {
      Parts& parts = operands.emplace_back(type(operand).rank() == 2 ? rows_of(operand) : parts_[operand.index]);
      const bool spreads = type(operand).rank() == 2 && type(operand).dims[1] != width;
      if (spreads) std::ranges::transform(parts, parts.begin(), [&](Value row) { return scalar(row); });
    }
    Parts rows;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count_of(node.type)); ++i) {
      std::vector<Value> row;
      for (const Parts& parts : operands) row.push_back(parts.size() == 1 ? parts[0] : parts[i]);
      rows.push_back(
          to_.append({.op = Op::Map, .function = node.function, .operands = row, .location = node.location}));
    }
    return rows;
  }

  Parts reduce(const Node& node) {
    std::vector<Parts> operands;
    for (const Value operand : node.operands)
      operands.push_back(type(operand).rank() == 2 ? vectors_of(operand) : parts_[operand.index]);
    Parts rows;
    for (std::size_t i = 0; i < operands[0].size(); ++i) {
      std::vector<Value> row;
      for (const Parts& parts : operands) row.push_back(parts.size() == 1 ? parts[0] : parts[i]);
      rows.push_back(to_.reduce(node.reduction, row));
    }
    return rows;
  }

  Parts matvec(const Node& node) {
    const Value matrix = parts_[node.operands[0].index][0];
    Parts rows;
    for (const Value row : vectors_of(node.operands[1]))
      rows.push_back(to_.append({.op = Op::Matvec, .operands = {matrix, row}, .location = node.location}));
    return rows;
  }

  Parts slice(const Node& node) {
    const ir::Range& cut = node.ranges[0];
    const Parts all = rows_of(node.operands[0]);
    Parts rows(all.begin() + cut.begin.value(), all.begin() + cut.end.value());
    if (node.ranges.size() < 2) return rows;
    for (Value& row : rows) row = to_.slice(vector(row), node.ranges[1].begin, node.ranges[1].end);
    return rows;
  }

  Parts concat(const Node& node) {
    Parts rows;
    for (const Value operand : node.operands) std::ranges::copy(rows_of(operand), std::back_inserter(rows));
    return rows;
  }

  Parts hoist(const Node& node) {
    Parts rows = rows_of(node.operands[0]);
    for (Value& row : rows) row = to_.append({.op = Op::Hoist, .operands = {row}});
    return rows;
  }

  Parts split(const Node& node) {
    const std::int64_t width = node.type.dims[1].value();
    return windows(parts_[node.operands[0].index][0], width, width, count_of(node.type));
  }

  Parts windows(Value whole, std::int64_t size, std::int64_t stride, std::int64_t count) {
    Parts rows;
    for (std::int64_t i = 0; i < count; ++i) rows.push_back(to_.slice(whole, i * stride, i * stride + size));
    return rows;
  }

  Parts windows(const Node& node) {
    const Value from = node.operands[0];
    const std::int64_t size = node.ranges[0].begin.value(), stride = node.ranges[0].end.value();
    if (type(from).rank() == 1) return windows(parts_[from.index][0], size, stride, count_of(node.type));
    const Parts all = vectors_of(from);
    Parts rows;
    for (std::int64_t first = 0; first < count_of(node.type) * stride; first += stride)
      rows.push_back(to_.concat(Parts(all.begin() + first, all.begin() + first + size)));
    return rows;
  }

  Parts pad(const Node& node) {
    const std::int64_t before = node.ranges[0].begin.value(), after = node.ranges[0].end.value();
    if (node.type.is_rows) {
      Parts rows(static_cast<std::size_t>(before), zeros(node.type.dims[1].value()));
      std::ranges::copy(rows_of(node.operands[0]), std::back_inserter(rows));
      rows.insert(rows.end(), static_cast<std::size_t>(after), zeros(node.type.dims[1].value()));
      return rows;
    }
    Parts pieces;
    if (before > 0) pieces.push_back(zeros(before));
    pieces.push_back(parts_[node.operands[0].index][0]);
    if (after > 0) pieces.push_back(zeros(after));
    return {to_.concat(std::move(pieces))};
  }

  Parts reflect(const Node& node) {
    const std::int64_t before = node.ranges[0].begin.value(), after = node.ranges[0].end.value();
    const Value from = node.operands[0];
    const std::int64_t size = type(from).dims[0].value();
    const Parts whole = type(from).rank() == 2 ? rows_of(from) : parts_[from.index];
    const auto piece = [&](std::int64_t i) {
      return type(from).rank() == 2 ? whole[static_cast<std::size_t>(i)] : to_.slice(whole[0], i, i + 1);
    };
    Parts all;
    for (std::int64_t i = before; i > 0; --i) all.push_back(piece(i));
    all.insert(all.end(), whole.begin(), whole.end());
    for (std::int64_t i = 0; i < after; ++i) all.push_back(piece(size - 2 - i));
    return node.type.is_rows ? all : Parts{to_.concat(std::move(all))};
  }

  Parts beside(const Node& node) {
    std::vector<Parts> operands;
    for (const Value operand : node.operands) operands.push_back(vectors_of(operand));
    Parts rows;
    for (std::size_t i = 0; i < operands[0].size(); ++i) {
      Parts row;
      for (const Parts& parts : operands) row.push_back(parts[i]);
      rows.push_back(to_.concat(std::move(row)));
    }
    return rows;
  }

  Value over_rows(const Node& node) {
    const Function join = node.row_op == ir::RowOp::Max ? Function::Max : Function::Add;
    const Parts rows = vectors_of(node.operands[0]);
    Value result = rows[0];
    for (std::size_t i = 1; i < rows.size(); ++i) result = to_.map(join, {result, rows[i]});
    if (node.row_op != ir::RowOp::Mean) return result;
    return to_.map(Function::Div, {result, to_.constant(static_cast<float>(rows.size()))});
  }

  const Graph& from_;
  Graph to_;
  std::vector<Parts> parts_;  // of `to_`, by node of `from_`
};

bool has_rows(const Graph& graph) {
  return std::ranges::any_of(graph.nodes, [](const Node& node) { return node.op == Op::Rows; });
}

}  // namespace

ir::Graph lower_rows(const Graph& graph) { return has_rows(graph) ? RowLowering(graph).run() : graph; }

}  // namespace rnnc::compiler
