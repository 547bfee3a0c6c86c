#include "tools/interface.hpp"

#include <algorithm>

#include "ir/interpret_network.hpp"
#include "ir/scan.hpp"

namespace rnnc::tools {
namespace {

ir::Type type_of(const Shape& shape, const std::string& time) { return {{shape.begin(), shape.end()}, time}; }

// Adds, for each input of the graph that `value` depends on, the rows of a table that is indexed with it.
void add_index(const ir::Graph& graph, ir::Value value, std::int64_t rows, std::map<std::string, std::int64_t>& to) {
  std::set<ir::Value> seen;
  std::vector<ir::Value> open = {value};
  while (!open.empty()) {
    const ir::Value at = open.back();
    open.pop_back();
    if (!seen.insert(at).second) continue;
    const ir::Node& node = graph[at];
    open.insert(open.end(), node.operands.begin(), node.operands.end());
    if (node.op != ir::Op::Input) continue;
    const auto [entry, added] = to.emplace(node.name, rows);
    if (!added) entry->second = std::min(entry->second, rows);
  }
}

// The inputs of a cell are the first operands of its scan, in their order.
std::map<std::string, std::int64_t> rows_of_tables(const ir::Graph& graph) {
  std::map<std::string, std::int64_t> result;
  for (const ir::Node& node : graph.nodes) {
    if (node.op == ir::Op::Lookup)
      add_index(graph, node.operands[1], shape_of(graph[node.operands[0]].type)[0], result);
    if (node.op != ir::Op::Scan) continue;
    const ir::Cell cell = ir::scan_cell(static_cast<const ir::Network&>(graph), node).value();
    std::size_t argument = 0;
    const std::map<std::string, std::int64_t> own = rows_of_tables(cell);
    for (const ir::Node& input : cell.nodes) {
      if (input.op != ir::Op::Input) continue;
      const ir::Value given = node.operands[argument++];
      if (const auto found = own.find(input.name); found != own.end()) add_index(graph, given, found->second, result);
    }
  }
  return result;
}

}  // namespace

std::vector<NamedType> Interface::in_x() const {
  std::vector<NamedType> parts;
  for (const NamedType& input : inputs)
    if (input.type.axis == ir::kTime) parts.push_back(input);
  return parts;
}

std::int64_t Interface::input_size() const {
  std::int64_t size = 0;
  for (const NamedType& part : in_x()) size += elements(part.type);
  return size;
}

Interface interface_of(const ir::Network& network) {
  const std::vector<std::string> times = ir::times_of(network);
  Interface result{network.name, {}, {}, {times.begin(), times.end()}, {}};
  for (const ir::NamedValue& output : network.outputs())
    result.outputs.push_back({output.name, network[output.value].type});
  for (const ir::Node& node : network.nodes) {
    if (node.op == ir::Op::Input) result.inputs.push_back({node.name, node.type});
    if (node.op != ir::Op::Scan) continue;
    const ir::Cell cell = ir::scan_cell(network, node).value();
    for (const std::string& prefix : ir::scan_prefixes(node))
      for (const ir::Node& state : cell.nodes)
        if (state.op == ir::Op::State) result.states.push_back({prefix + state.name, elements(state.type)});
  }
  result.begun_by_inputs = ir::begun_by_inputs(network);
  result.rows_of_tables = rows_of_tables(network);
  return result;
}

Interface interface_of(const Program& program) {
  Interface result{program.cell(), {}, {}, {}, {}};
  for (const NamedPort& output : program.outputs()) {
    result.outputs.push_back({output.port.name, type_of(output.port.shape, output.time)});
    result.times.insert(output.time);
  }
  for (const Port& port : program.inputs())
    result.inputs.push_back({port.name, type_of(port.shape, std::string(ir::kTime))});
  for (const NamedPort& input : program.named_inputs())
    result.inputs.push_back({input.port.name, type_of(input.port.shape, input.time)});
  for (const NamedType& input : result.inputs) result.times.insert(input.type.axis);
  result.times.erase("");  // the time of vectors
  for (const Port& port : program.states()) result.states.push_back({port.name, elements(type_of(port.shape, ""))});
  return result;
}

}  // namespace rnnc::tools
