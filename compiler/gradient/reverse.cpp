// This file has the rules of the reverse sweep for all ops but those of rows.
#include "compiler/gradient/reverse.hpp"

#include <algorithm>
#include <utility>

#include "compiler/gradient/cut_graph.hpp"
#include "compiler/gradient/derivative.hpp"
#include "compiler/passes/windows.hpp"
#include "ir/check.hpp"

namespace rnnc::compiler {

using ir::Function;
using ir::Node;
using ir::Op;
using ir::Range;
using ir::Reduction;
using ir::RowOp;
using ir::Type;
using ir::Value;

std::string free_name(const ir::Graph& graph, std::string name) {
  const auto is_taken = [&] {
    return std::ranges::any_of(graph.nodes, [&](const Node& node) { return node.name == name; }) ||
           std::ranges::any_of(graph.statements, [&](const ir::Statement& said) { return said.name == name; });
  };
  while (is_taken()) name += "_";
  return name;
}

Reverse::Reverse(ir::Graph& graph, Visit visit)
    : graph_(graph), visit_(std::move(visit)), count_(graph.nodes.size()), active_(count_), cotangents_(count_) {
  for (std::size_t i = 0; i < count_; ++i) {
    const Node& node = graph.nodes[i];
    active_[i] = ir::is_declaration(node) || node.op == Op::Scan || node.op == Op::FinalState;
    for (const Value operand : node.operands) active_[i] = active_[i] || active_[operand.index];
    if (node.op == Op::Reduce && node.reduction == Reduction::Argmax) active_[i] = false;
  }
}

void Reverse::run() {
  for (std::size_t i = count_; i-- > 0;) {
    const Value value{static_cast<std::uint32_t>(i)};
    const Node& node = graph_.nodes[i];
    const Op op = node.op;
    const bool is_of_scan = op == Op::Slice && graph_[node.operands[0]].op == Op::Scan;
    join_pieces(value);
    if (op == Op::Scan || op == Op::FinalState || op == Op::OverTime || is_of_scan) {
      visit_(*this, value, cotangents_[i]);
    } else if (cotangents_[i]) {
      rule(value, *cotangents_[i]);
    }
  }
}

// Returns the cotangent of a value that is one leaf of a parameter: a term needs no padding to the whole parameter.
bool Reverse::add_term(Value value, Value cotangent) {
  if (graph_[value].op != Op::Param && graph_[value].op != Op::Slice) return false;
  const std::vector<MatrixWindow> windows = windows_of(graph_, value);
  if (windows.size() != 1 || graph_[windows[0].matrix].op != Op::Param) return false;
  const MatrixWindow& window = windows[0];
  terms_.push_back(
      {Term::Kind::Sum, window.matrix, {window.row, window.rows, window.column, window.columns}, cotangent});
  return true;
}

void Reverse::add(Value value, Value cotangent) {
  if (!active_[value.index]) return;
  cotangent = fit(cotangent, value);
  if (add_term(value, cotangent)) return;
  if (graph_[cotangent].type.is_sequence() && !graph_[value].type.is_sequence()) cotangent = over_time(cotangent);
  std::optional<Value>& sum = cotangents_[value.index];
  sum = sum ? apply(Function::Add, *sum, cotangent) : cotangent;
}

// Slices that do not overlap give one concatenation, as a product of stacked gates has; others are padded and added.
void Reverse::join_pieces(Value value) {
  const auto found = pieces_.find(value);
  if (found == pieces_.end()) return;
  std::vector<Piece> pieces = std::move(found->second);
  pieces_.erase(found);
  std::ranges::stable_sort(pieces, {}, &Piece::begin);
  const std::int64_t count = dim(value, 0), width = graph_[value].type.rank() == 2 ? dim(value, 1) : 0;
  const auto gap = [&](std::int64_t size) { return width == 0 ? zeros(size) : zero_rows(size, width); };
  while (!pieces.empty()) {
    std::vector<Value> parts;
    std::vector<Piece> rest;
    std::int64_t at = 0;
    for (const Piece& piece : pieces) {
      if (piece.begin < at) {
        rest.push_back(piece);
        continue;
      }
      if (piece.begin > at) parts.push_back(gap(piece.begin - at));
      parts.push_back(piece.cotangent);
      at = piece.end;
    }
    if (at < count) parts.push_back(gap(count - at));
    add(value, graph_.concat(std::move(parts)));
    pieces = std::move(rest);
  }
}

// A value that is the same at each step of a sequence gets the sum over the steps.
Value Reverse::over_time(Value cotangent) {
  const bool is_rows = graph_[cotangent].type.rank() == 2;
  const std::int64_t count = is_rows ? dim(cotangent, 0) : 0;
  if (is_rows) cotangent = rows_op(RowOp::Flatten, {cotangent});
  const Value sum = graph_.append({.op = Op::OverTime, .over_time = ir::OverTime::Sum, .operands = {cotangent}});
  return is_rows ? rows_op(RowOp::Split, {sum}, 0, count) : sum;
}

// An operand that a function has spread over more elements gets the sum over these.
Value Reverse::fit(Value cotangent, Value value) {
  const Type to = graph_[value].type;
  if (graph_[cotangent].type.rank() == 2 && to.rank() == 2 && to.dims[1] != graph_[cotangent].type.dims[1])
    return sum_features(graph_, cotangent);
  if (graph_[cotangent].type.rank() == 2 && to.rank() < 2) cotangent = rows_op(RowOp::Sum, {cotangent});
  if (graph_[cotangent].type.rank() == 1 && to.rank() == 0) return sum_features(graph_, cotangent);
  return cotangent;
}

Value Reverse::spread(Value value, Value like) {
  const Type type = graph_[like].type;
  if (type.rank() == 0) return value;
  const auto count = type.dims[0].value();
  if (type.rank() == 1) {
    if (graph_[value].type.rank() == 1) return value;
    return graph_.append({.op = Op::Fill, .operands = {value}, .ranges = {{0, count}}});
  }
  const Value one = graph_.append({.op = Op::Fill, .operands = {graph_.constant(1)}, .ranges = {{0, elements(type)}}});
  return apply(Function::Mul, rows_op(RowOp::Split, {one}, 0, count), value);
}

Value Reverse::slice(Value value, std::vector<Range> ranges) {
  const Type& type = graph_[value].type;
  const auto is_whole = [&](std::size_t i) { return ranges[i].begin == ir::Dim(0) && ranges[i].end == type.dims[i]; };
  if (is_whole(0) && (ranges.size() == 1 || is_whole(1))) return value;
  return graph_.append({.op = Op::Slice, .operands = {value}, .ranges = std::move(ranges)});
}

Value Reverse::rows_op(RowOp op, std::vector<Value> operands, ir::Dim first, ir::Dim second) {
  Node node{.op = Op::Rows, .row_op = op, .operands = std::move(operands)};
  if (ir::facts(op).dims > 0) node.ranges = {{std::move(first), std::move(second)}};
  return graph_.append(std::move(node));
}

Value Reverse::zeros(std::int64_t count) {
  return graph_.append({.op = Op::Fill, .operands = {graph_.constant(0)}, .ranges = {{0, count}}});
}

Value Reverse::zero_rows(std::int64_t count, std::int64_t width) {
  return rows_op(RowOp::Split, {zeros(count * width)}, 0, count);
}

void Reverse::rule(Value value, Value cotangent) {
  const Node node = graph_[value];
  switch (node.op) {
    case Op::Input:
    case Op::State:
    case Op::Param:
    case Op::Constant: return;
    case Op::Slice: return slice(node, cotangent);
    case Op::Concat: return concat(node, cotangent);
    case Op::Matvec: return product(node.operands[0], node.operands[1], cotangent);
    case Op::Lookup: return lookup(node, cotangent);
    case Op::Project: return project(node, cotangent);
    case Op::Map: return map(value, cotangent);
    case Op::Reduce: return reduce(value, cotangent);
    case Op::Hoist: return add(node.operands[0], cotangent);
    case Op::Fill: return add(node.operands[0], sum_features(graph_, cotangent));
    case Op::Rows: return reverse_rows(*this, node, cotangent);
    case Op::Quantize:
    case Op::Scan:
    case Op::FinalState:
    case Op::OverTime: break;
  }
  ir::internal_error(&graph_, "no op of a cell that was verified and not lowered");
}

void Reverse::map(Value value, Value cotangent) {
  const std::vector<Value> operands = graph_[value].operands;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (!active_[operands[i].index]) continue;
    if (const std::optional<Value> part = pull_back(graph_, value, cotangent, i)) add(operands[i], *part);
  }
}

void Reverse::reduce(Value value, Value cotangent) {
  const Node node = graph_[value];
  const Value x = node.operands[0];
  const auto count = static_cast<float>(graph_[x].type.dims.back().value());
  switch (node.reduction) {
    case Reduction::Sum: return add(x, spread(cotangent, x));
    case Reduction::Mean: return add(x, spread(apply(Function::Div, cotangent, graph_.constant(count)), x));
    case Reduction::Max: {
      // Elements that are the largest share the cotangent evenly, as those of torch.amax do.
      const Value largest = spread(value, x);
      const Value is_largest = graph_.map(Function::Select, {largest, x, graph_.constant(0), graph_.constant(1)});
      const Value share = apply(Function::Div, cotangent, sum_features(graph_, is_largest));
      return add(x, apply(Function::Mul, is_largest, share));
    }
    case Reduction::Argmax: return;
    case Reduction::Softmax: return softmax(value, cotangent);
    case Reduction::LayerNorm: return layer_norm(node, cotangent);
  }
}

void Reverse::softmax(Value value, Value cotangent) {
  const Value mean = sum_features(graph_, apply(Function::Mul, cotangent, value));
  add(graph_[value].operands[0], apply(Function::Mul, value, apply(Function::Sub, cotangent, mean)));
}

// The expressions of the forward values are those of expand.cpp, so that both are computed once.
void Reverse::layer_norm(const Node& node, Value cotangent) {
  const Value x = node.operands[0], gamma = node.operands[1], beta = node.operands[2], epsilon = node.operands[3];
  const auto count = static_cast<float>(graph_[x].type.dims.back().value());
  const auto mean = [&](Value of) { return apply(Function::Div, sum_features(graph_, of), graph_.constant(count)); };
  const Value centred = apply(Function::Sub, x, mean(x));
  const Value variance = mean(apply(Function::Mul, centred, centred));
  const Value scale = graph_.map(Function::Rsqrt, {apply(Function::Add, variance, epsilon)});
  const Value normal = apply(Function::Mul, centred, scale);
  add(beta, cotangent);
  add(gamma, apply(Function::Mul, cotangent, normal));
  const Value scaled = apply(Function::Mul, cotangent, gamma);
  const Value along = mean(apply(Function::Mul, scaled, normal));
  const Value rest =
      apply(Function::Sub, apply(Function::Sub, scaled, mean(scaled)), apply(Function::Mul, normal, along));
  add(x, apply(Function::Mul, rest, scale));
  if (!active_[epsilon.index]) return;
  const Value half = graph_.constant(-0.5F * count);
  add(epsilon, apply(Function::Mul, apply(Function::Mul, half, along), apply(Function::Mul, scale, scale)));
}

void Reverse::slice(const Node& node, Value cotangent) {
  const Value of = node.operands[0];
  const Type type = graph_[of].type;
  if (!active_[of.index]) return;
  if (type.rank() == 2 && node.ranges.size() == 2) {
    const std::int64_t before = node.ranges[1].begin.value(), after = dim(of, 1) - node.ranges[1].end.value();
    std::vector<Value> parts;
    const std::int64_t count = dim(cotangent, 0);
    if (before > 0) parts.push_back(zero_rows(count, before));
    parts.push_back(cotangent);
    if (after > 0) parts.push_back(zero_rows(count, after));
    if (parts.size() > 1) cotangent = rows_op(RowOp::Beside, std::move(parts));
  }
  pieces_[of].push_back({node.ranges[0].begin.value(), node.ranges[0].end.value(), cotangent});
}

void Reverse::concat(const Node& node, Value cotangent) {
  std::int64_t begin = 0;
  for (const Value operand : node.operands) {
    const std::int64_t end = begin + dim(operand, 0);
    if (active_[operand.index]) add(operand, slice(cotangent, {{begin, end}}));
    begin = end;
  }
}

Value Reverse::transpose(Value param) {
  const auto [entry, is_new] = transposed_.try_emplace(param);
  if (is_new) {
    const Type type = graph_[param].type;
    const std::string name = free_name(graph_, graph_[param].name + "_t");
    entry->second = graph_.append({.op = Op::Param, .name = name, .type = {.dims = {type.dims[1], type.dims[0]}}});
  }
  return entry->second;
}

// The matrix is rows of parameters, one below the other; each window has its own part of the cotangent.
void Reverse::product(Value matrix, Value vector, Value cotangent) {
  const bool is_rows = graph_[cotangent].type.rank() == 2;
  std::int64_t begin = 0;
  for (const MatrixWindow& window : windows_of(graph_, matrix)) {
    const std::int64_t end = begin + window.rows;
    const Value part =
        is_rows ? slice(cotangent, {{0, dim(cotangent, 0)}, {begin, end}}) : slice(cotangent, {{begin, end}});
    begin = end;
    RNNC_ASSERT(graph_[window.matrix].op == Op::Param, &graph_);
    terms_.push_back(
        {Term::Kind::Product, window.matrix, {window.row, window.rows, window.column, window.columns}, part, vector});
    if (!active_[vector.index]) continue;
    const Value back = slice(transpose(window.matrix),
                             {{window.column, window.column + window.columns}, {window.row, window.row + window.rows}});
    add(vector, graph_.append({.op = Op::Matvec, .operands = {back, part}}));
  }
}

void Reverse::project(const Node& node, Value cotangent) {
  std::int64_t begin = 0;
  for (std::size_t i = 1; i < node.operands.size(); i += 2) {
    const std::int64_t end = begin + dim(node.operands[i], 0);
    const Value part = slice(cotangent, {{begin, end}});
    begin = end;
    add(node.operands[i + 1], part);
    product(node.operands[i], node.operands[0], part);
  }
}

// The number of a row has no derivative. Joined matrices are told apart by the term's window: a number outside it adds
// nothing there.
void Reverse::lookup(const Node& node, Value cotangent) {
  std::int64_t before = 0;
  for (const MatrixWindow& window : windows_of(graph_, node.operands[0])) {
    Value index = node.operands[1];
    if (before > 0) index = apply(Function::Sub, index, graph_.constant(static_cast<float>(before)));
    before += window.rows;
    terms_.push_back({Term::Kind::LookedUp,
                      window.matrix,
                      {window.row, window.rows, window.column, window.columns},
                      cotangent,
                      index});
  }
}

}  // namespace rnnc::compiler
