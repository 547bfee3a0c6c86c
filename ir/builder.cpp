// The C++ builder turns each call into a node or a statement. infer_type checks each node at once, as in the parser;
// build() calls verify, which checks names and the cell as a whole.
#include <algorithm>
#include <iterator>
#include <utility>

#include <rnnc/default_float_environment.hpp>

#include "ir/builder_graph.hpp"
#include "ir/scan.hpp"
#include "ir/syntax.hpp"
#include "ir/verify.hpp"

namespace rnnc {

// A handle without a node keeps its graph, since the graph knows the mistake that led to it.
Value BuilderGraph::handle(const Pointer& graph, std::optional<ir::Value> node) {
  Value value;
  value.graph_ = graph;
  if (node) {
    value.kind_ = Value::Kind::Node;
    value.index_ = node->index;
  }
  return value;
}

std::optional<ir::Value> BuilderGraph::use(const Value& value, std::string_view user) {
  if (value.kind_ == Value::Kind::Number) return graph.constant(value.number_);
  const std::string who(user);
  if (!value.graph_) {
    fail(ErrorCode::InvalidModel, who + ": an operand is no value, or was computed from numbers alone");
    return std::nullopt;
  }
  if (value.graph_.get() != this) {
    const std::string message =
        who + ": operands belong to two cells, " + graph.name + " and " + value.graph_->graph.name;
    value.graph_->fail(ErrorCode::InvalidModel, message);
    fail(ErrorCode::InvalidModel, message);
    return std::nullopt;
  }
  if (value.kind_ == Value::Kind::None) return std::nullopt;  // the result of an earlier mistake
  return ir::Value{value.index_};
}

bool BuilderGraph::use_all(std::span<const Value> operands, std::string_view user, ir::Node& node) {
  bool usable = true;
  for (const Value& operand : operands) {
    const std::optional<ir::Value> value = use(operand, user);
    usable = usable && value;
    if (value) node.operands.push_back(*value);
  }
  return usable;
}

std::optional<ir::Value> BuilderGraph::append(ir::Node node) {
  const Result<ir::Type> type = ir::infer_type(graph, node);
  if (!type) {
    fail(type.error());
    return std::nullopt;
  }
  return graph.append(std::move(node));
}

Value BuilderGraph::call(ir::Node node, std::span<const Value> operands, std::string_view user) {
  const auto first = std::find_if(operands.begin(), operands.end(), [](const Value& v) { return v.graph_ != nullptr; });
  if (first == operands.end()) return {};
  const Pointer graph = first->graph_;
  if (!graph->use_all(operands, user, node)) return handle(graph, std::nullopt);
  return handle(graph, graph->append(ir::over_time(graph->graph, node, user, node.operands)));
}

Value BuilderGraph::unknown(std::string_view function, std::span<const Value> operands) {
  for (const Value& operand : operands) {
    if (!operand.graph_) continue;
    operand.graph_->fail(ErrorCode::Name, "there is no function " + std::string(function) + " of " +
                                              std::to_string(operands.size()) +
                                              (operands.size() == 1 ? " operand" : " operands"));
    return handle(operand.graph_, std::nullopt);
  }
  return {};
}

Value BuilderGraph::declare(const Pointer& graph, ir::Op op, std::string_view name, std::initializer_list<Dim> shape,
                            std::string_view axis) {
  ir::Type type{{}, std::string(axis)};
  for (const Dim& dim : shape) type.dims.push_back(of(dim));
  return handle(graph, graph->append({.op = op, .name = std::string(name), .type = std::move(type)}));
}

Value BuilderGraph::say(ir::Statement::Kind kind, std::string_view name, const Value& value, const Pointer& graph) {
  const std::string_view user = kind == ir::Statement::Kind::Let    ? "let"
                                : kind == ir::Statement::Kind::Next ? "next"
                                                                    : "output";
  const std::optional<ir::Value> node = graph->use(value, user);
  if (node) graph->graph.statements.push_back({kind, std::string(name), *node, {}});
  return handle(graph, node);
}

Dim::Dim(std::int64_t value) : dim_(std::make_shared<ir::Dim>(value)) {}
Dim::Dim(const ir::Dim& dim) : dim_(std::make_shared<ir::Dim>(dim)) {}

Dim operator+(const Dim& a, const Dim& b) { return Dim(*a.dim_ + *b.dim_); }
Dim operator-(const Dim& a, const Dim& b) { return Dim(*a.dim_ - *b.dim_); }
Dim operator*(const Dim& a, const Dim& b) { return Dim(*a.dim_ * *b.dim_); }

Value apply(std::string_view function, std::initializer_list<Value> operands) {
  const int arity = static_cast<int>(operands.size());
  for (const ir::FunctionFacts& row : ir::kFunctions)
    if (row.name == function && row.arity == arity)
      return BuilderGraph::call({.op = ir::Op::Map, .function = row.function}, operands, function);
  for (const ir::ReductionFacts& row : ir::kReductions)
    if (row.name == function && row.arity == arity)
      return BuilderGraph::call({.op = ir::Op::Reduce, .reduction = row.reduction}, operands, function);
  if (ir::find_over_time(function) && arity == 1) return BuilderGraph::call({}, operands, function);
  return BuilderGraph::unknown(function, operands);
}

Value matvec(const Value& matrix, const Value& vector) {
  return BuilderGraph::call({.op = ir::Op::Matvec}, std::vector{matrix, vector}, "matvec");
}

Value lookup(const Value& matrix, const Value& row) {
  return BuilderGraph::call({.op = ir::Op::Lookup}, std::vector{matrix, row}, "lookup");
}

Value slice(const Value& v, const Dim& begin, const Dim& end) {
  const ir::Range range{BuilderGraph::of(begin), BuilderGraph::of(end)};
  return BuilderGraph::call({.op = ir::Op::Slice, .ranges = {range}}, {&v, 1}, "slice");
}

Value slice(const Value& matrix, const Dim& row_begin, const Dim& row_end, const Dim& begin, const Dim& end) {
  const ir::Range rows{BuilderGraph::of(row_begin), BuilderGraph::of(row_end)};
  const ir::Range columns{BuilderGraph::of(begin), BuilderGraph::of(end)};
  return BuilderGraph::call({.op = ir::Op::Slice, .ranges = {rows, columns}}, {&matrix, 1}, "slice");
}

Value Value::join(std::initializer_list<Value> parts) {
  return BuilderGraph::call({.op = ir::Op::Concat}, parts, "concat");
}

Value Value::join_features(std::initializer_list<Value> parts) {
  return BuilderGraph::call({.op = ir::Op::Rows, .row_op = ir::RowOp::Beside}, parts, "beside");
}

Value Value::shape(std::string_view row_op, const Value& value, std::initializer_list<Dim> dims) {
  ir::Node node{.op = ir::Op::Rows, .row_op = ir::find_row_op(row_op)->row_op};
  if (dims.size() > 0) node.ranges = {{ir::Dim(0), BuilderGraph::of(*std::prev(dims.end()))}};
  if (dims.size() > 1) node.ranges[0].begin = BuilderGraph::of(*dims.begin());
  return BuilderGraph::call(std::move(node), {&value, 1}, row_op);
}

Value fill(const Value& scalar, const Dim& size) {
  return BuilderGraph::call({.op = ir::Op::Fill, .ranges = {{ir::Dim(0), BuilderGraph::of(size)}}}, {&scalar, 1},
                            "fill");
}

GraphBuilder::GraphBuilder(std::string_view name) : graph_(std::make_shared<BuilderGraph>()) {
  graph_->graph.name = name;
}

Dim GraphBuilder::dim(std::string_view name) {
  graph_->graph.dims.emplace_back(name);
  return BuilderGraph::make(ir::Dim::symbol(std::string(name)));
}

Value GraphBuilder::input(std::string_view name, std::initializer_list<Dim> shape) {
  return BuilderGraph::declare(graph_, ir::Op::Input, name, shape);
}

Value GraphBuilder::param(std::string_view name, std::initializer_list<Dim> shape) {
  return BuilderGraph::declare(graph_, ir::Op::Param, name, shape);
}

Value GraphBuilder::let(std::string_view name, const Value& value) {
  return BuilderGraph::say(ir::Statement::Kind::Let, name, value, graph_);
}

Value GraphBuilder::output(const Value& value) {
  return BuilderGraph::say(ir::Statement::Kind::Output, "", value, graph_);
}

Result<Model> GraphBuilder::build() const {
  const DefaultFloatEnvironment environment;
  if (graph_->error) return *graph_->error;
  const Result<void> verified = ir::verify(graph_->graph);
  if (!verified) return verified.error();
  auto module = std::make_shared<ir::Module>();
  module->cells = graph_->cells;
  if (graph_->graph.kind == ir::Graph::Kind::Cell)
    module->cells.emplace_back(graph_->graph);
  else
    module->networks.emplace_back(graph_->graph);
  return Model(std::move(module));
}

Value CellBuilder::state(std::string_view name, std::initializer_list<Dim> shape) {
  return BuilderGraph::declare(graph_, ir::Op::State, name, shape);
}

Value CellBuilder::next(std::string_view state, const Value& value) {
  return BuilderGraph::say(ir::Statement::Kind::Next, state, value, graph_);
}

Value CellBuilder::next(const Value& state, const Value& value) {
  const std::optional<ir::Value> node = graph_->use(state, "next");
  if (!node) return value;
  if (graph_->graph[*node].op != ir::Op::State) {
    graph_->fail(ErrorCode::InvalidModel, "next: the first operand is not a state of cell " + graph_->graph.name);
    return value;
  }
  return next(graph_->graph[*node].name, value);
}

}  // namespace rnnc
