// The C++ builder of networks has the calls that the builder of cells lacks.
#include <new>
#include <utility>

#include "ir/builder_graph.hpp"
#include "ir/scan.hpp"
#include "ir/syntax.hpp"

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

NetworkBuilder::NetworkBuilder(std::string_view name) : GraphBuilder(name) {
  graph_->graph.kind = ir::Graph::Kind::Network;
}

NetworkBuilder::NetworkBuilder(std::string_view name, const Model& cells) : NetworkBuilder(name) {
  graph_->cells = cells.module().cells;
}

Value NetworkBuilder::output(std::string_view name, const Value& value) {
  return BuilderGraph::say(ir::Statement::Kind::Output, name, value, graph_);
}

Value NetworkBuilder::sequence(std::string_view name, std::initializer_list<Dim> shape, std::string_view time) {
  return BuilderGraph::declare(graph_, ir::Op::Input, name, shape, time);
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
  ir::Node node{.op = ir::Op::Scan, .name = std::string(name)};
  if (!graph_->use_all(operands, "scan", node) || !scan.cell) return BuilderGraph::handle(graph_, std::nullopt);
  node.scan = std::make_shared<const ir::Scan>(std::move(scan));
  return let(name, BuilderGraph::handle(graph_, graph_->append(std::move(node))));
}

Value NetworkBuilder::final_state(const Value& scan, std::string_view state) {
  return BuilderGraph::call({.op = ir::Op::FinalState, .name = std::string(state)}, {&scan, 1}, "final_state");
}

}  // namespace rnnc
