// The C++ builder of networks has the calls that the builder of cells lacks.
#include <new>
#include <utility>

#include <rnnc/default_float_environment.hpp>

#include "ir/builder_graph.hpp"
#include "ir/scan.hpp"
#include "ir/syntax.hpp"
#include "ir/verify.hpp"

namespace rnnc {

namespace {

// Returns the cell of this name; if there is none, keeps the mistake and returns nullptr.
std::shared_ptr<const ir::Cell> find_cell(BuilderGraph& graph, std::string_view name) {
  std::vector<std::string> known = standard_cell_names();
  for (const ir::Cell& cell : graph.cells) {
    if (cell.name == name) return std::make_shared<const ir::Cell>(cell);
    known.push_back(cell.name);
  }
  const Result<Model> standard = standard_cell(name);
  if (standard) return std::make_shared<const ir::Cell>(standard->module().cells.at(0));
  if (standard.error().code == ErrorCode::Limit) throw std::bad_alloc();
  graph.fail(ErrorCode::Name, "there is no cell '" + std::string(name) + "'" + ir::did_you_mean(name, known));
  return nullptr;
}

}  // namespace

NetworkBuilder::NetworkBuilder(std::string_view name) : graph_(std::make_shared<BuilderGraph>()) {
  graph_->graph.kind = ir::Graph::Kind::Network;
  graph_->graph.name = name;
}

NetworkBuilder::NetworkBuilder(std::string_view name, const Model& cells) : NetworkBuilder(name) {
  graph_->cells = cells.module().cells;
}

Dim NetworkBuilder::dim(std::string_view name) {
  graph_->graph.dims.emplace_back(name);
  return BuilderGraph::make(ir::Dim::symbol(std::string(name)));
}

Value NetworkBuilder::sequence(std::string_view name, std::initializer_list<Dim> shape, std::string_view time) {
  return BuilderGraph::declare(graph_, ir::Op::Input, name, shape, time);
}

Value NetworkBuilder::input(std::string_view name, std::initializer_list<Dim> shape) {
  return BuilderGraph::declare(graph_, ir::Op::Input, name, shape);
}

Value NetworkBuilder::param(std::string_view name, std::initializer_list<Dim> shape) {
  return BuilderGraph::declare(graph_, ir::Op::Param, name, shape);
}

Value NetworkBuilder::scan(std::string_view name, std::string_view cell, std::initializer_list<Value> arguments,
                           const ScanOptions& options) {
  ir::Scan scan;
  scan.cell = find_cell(*graph_, cell);
  scan.direction = options.direction;
  scan.merge = options.merge;
  scan.steps = options.steps;
  for (const auto& [dim, value] : options.dims) scan.dims[dim] = BuilderGraph::of(value);
  std::vector<Value> operands = arguments;
  for (const auto& [state, value] : options.initial) {
    scan.initial.push_back(state);
    operands.push_back(value);
  }
  ir::Node node;
  node.op = ir::Op::Scan;
  node.name = name;
  bool usable = scan.cell != nullptr;
  for (const Value& operand : operands) {
    const std::optional<ir::Value> value = graph_->use(operand, "scan");
    usable = usable && value;
    if (value) node.operands.push_back(*value);
  }
  if (!usable) return BuilderGraph::handle(graph_, std::nullopt);
  node.scan = std::make_shared<const ir::Scan>(std::move(scan));
  return let(name, BuilderGraph::handle(graph_, graph_->append(std::move(node))));
}

Value NetworkBuilder::final_state(const Value& scan, std::string_view state) {
  ir::Node node;
  node.op = ir::Op::FinalState;
  node.name = state;
  return BuilderGraph::call(std::move(node), {&scan, 1}, "final_state");
}

Value NetworkBuilder::let(std::string_view name, const Value& value) {
  return BuilderGraph::say(ir::Statement::Kind::Let, name, value, graph_);
}

Value NetworkBuilder::output(const Value& value) {
  return BuilderGraph::say(ir::Statement::Kind::Output, "", value, graph_);
}

Result<Model> NetworkBuilder::build() const {
  const DefaultFloatEnvironment environment;
  if (graph_->error) return *graph_->error;
  const Result<void> verified = ir::verify(graph_->graph);
  if (!verified) return verified.error();
  auto module = std::make_shared<ir::Module>();
  module->cells = graph_->cells;
  module->networks.emplace_back(graph_->graph);
  return Model(std::move(module));
}

}  // namespace rnnc
