// A network gets a bound cell of its own for each scan first, with rows as vectors, since the passes that follow know
// no rows. A vector is then either of the network or of the cell of one scan.
#include "compiler/network/named_values.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "compiler/network/network.hpp"
#include "compiler/passes/analysis.hpp"
#include "compiler/passes/pass.hpp"
#include "compiler/passes/ranges.hpp"
#include "compiler/schedule/file_name.hpp"
#include "ir/print.hpp"
#include "ir/scan.hpp"

namespace rnnc::compiler {
namespace {

using ir::Cell;
using ir::Function;
using ir::Graph;
using ir::Network;
using ir::Node;
using ir::Op;
using ir::Reduction;
using ir::Statement;
using ir::Value;

/// Changes a graph of the network: the network itself, with "" as `prefix`, or the cell of a scan, with "encoder.".
using Change = std::function<void(Graph& graph, const std::string& prefix)>;

// The network comes last: its nodes are visited while the cells of scans change.
Network with_changed_graphs(const Network& from, const Change& change) {
  Network network(lower_rows(from));
  for (Node& node : network.nodes) {
    if (node.op != Op::Scan) continue;
    Cell cell(lower_rows(ir::scan_cell(network, node).value()));
    change(cell, node.name.empty() ? "" : node.name + ".");
    ir::Scan scan = *node.scan;
    scan.cell = std::make_shared<const Cell>(std::move(cell));
    scan.dims.clear();  // all are numbers now
    node.scan = std::make_shared<const ir::Scan>(std::move(scan));
  }
  change(network, "");
  return network;
}

// Calls `visit(value, name)` for each vector of a graph that may differ from step to step.
template <class Visit>
void for_each_vector(const Graph& graph, const std::string& prefix, const Visit& visit) {
  const std::vector<std::string> texts = ir::describe_all(graph);
  for (std::uint32_t i = 0; i < texts.size(); ++i)
    if (graph.nodes[i].op != Op::Param && graph.nodes[i].type.rank() == 1) visit(Value{i}, prefix + texts[i]);
}

// Adds a Within to each vector for which `bound_of(name)` returns a bound.
template <class BoundOf>
Network with_bounds(const Network& network, const BoundOf& bound_of) {
  return with_changed_graphs(network, [&](Graph& graph, const std::string& prefix) {
    for_each_vector(graph, prefix, [&](Value value, const std::string& name) {
      if (const std::optional<float> bound = bound_of(name))
        graph.statements.push_back({Statement::Kind::Within, name, value, {}, *bound});
    });
  });
}

// Adds the vectors of the products of a cell, each of which has a Within that tells its name.
void add_vectors(const Cell& cell, std::map<std::string, std::optional<double>>& vectors) {
  const Cell passed = run_passes(cell, "chain");
  const std::vector<Phase> phase = phases(passed);
  const std::vector<Interval> ranges = ranges_of(passed);
  for (std::size_t i = 0; i < passed.nodes.size(); ++i) {
    if (passed.nodes[i].op != Op::Project || phase[i] == Phase::Once) continue;
    const Value vector = passed.nodes[i].operands[0];
    const Statement* named = measured_range(passed, vector);
    if (!named) continue;
    const std::optional<double> proved = bound_of_integers(passed, ranges, vector);
    const auto [known, is_new] = vectors.try_emplace(named->name, proved);
    if (!is_new)
      known->second = known->second && proved ? std::optional(std::max(*known->second, *proved)) : std::nullopt;
  }
}

// Adds what measures vectors to one graph after another.
class Measurer {
 public:
  explicit Measurer(const std::set<std::string>& names) : names_(names) {}

  void operator()(Graph& graph, const std::string& prefix) {
    std::map<std::string, std::vector<Value>> wanted;
    for_each_vector(graph, prefix, [&](Value value, const std::string& name) {
      if (names_.contains(name)) wanted[name].push_back(value);
    });
    for (const auto& [name, values] : wanted)
      for (const Value value : values)
        graph.kind == Graph::Kind::Network ? add_output(graph, value, name) : add_state(graph, value, prefix, name);
  }

  std::map<std::string, std::string> outputs, states;

 private:
  static std::string new_name(const Graph& graph) {
    std::string name = "measured" + std::to_string(graph.statements.size());
    const auto is_taken = [&](const auto& each) { return each.name == name; };
    while (std::ranges::any_of(graph.nodes, is_taken) || std::ranges::any_of(graph.statements, is_taken)) name += '_';
    return name;
  }

  void add_output(Graph& graph, Value vector, const std::string& of) {
    Value found = graph.map(Function::Abs, {vector});
    if (graph[found].type.is_sequence())
      found = graph.append({.op = Op::OverTime, .over_time = ir::OverTime::Max, .operands = {found}});
    const std::string name = new_name(graph);
    graph.statements.push_back({Statement::Kind::Output, name, found, {}});
    outputs[name] = of;
  }

  // A state begins at 0, and so does the largest magnitude.
  void add_state(Graph& graph, Value vector, const std::string& prefix, const std::string& of) {
    const std::string name = new_name(graph);
    const Value state = graph.append({.op = Op::State, .name = name});
    const Value largest = graph.reduce(Reduction::Max, {graph.map(Function::Abs, {vector})});
    const Value next = graph.map(Function::Max, {state, largest});
    graph.statements.push_back({Statement::Kind::Next, name, next, {}});
    states[prefix + name] = of;
  }

  const std::set<std::string>& names_;
};

// Names the states of a bidirectional scan, whose two directions have states of their own.
std::map<std::string, std::string> states_of_directions(const Network& network,
                                                        const std::map<std::string, std::string>& states) {
  std::map<std::string, std::string> result;
  for (const Node& node : network.nodes) {
    if (node.op != Op::Scan) continue;
    const std::string prefix = node.name.empty() ? "" : node.name + ".";
    for (const Node& state : node.scan->cell->nodes) {
      const auto found = state.op == Op::State ? states.find(prefix + state.name) : states.end();
      if (found == states.end()) continue;
      for (const std::string& part : ir::scan_prefixes(node)) result[part + state.name] = found->second;
    }
  }
  return result;
}

}  // namespace

std::map<std::string, std::optional<double>> multiplied_vectors(const Network& network) {
  static constexpr float kUnmeasured = std::numeric_limits<float>::infinity();
  const Network named = with_bounds(network, [](const std::string&) -> std::optional<float> { return kUnmeasured; });
  std::map<std::string, std::optional<double>> vectors;
  for (const Call& call : calls_of(named).list.calls)
    if (const auto* cell = std::get_if<CellCall>(&call)) add_vectors(cell->cell, vectors);
  return vectors;
}

MeasuringNetwork measuring(const Network& network, const std::set<std::string>& names) {
  Measurer measurer(names);
  Network changed = with_changed_graphs(network, std::ref(measurer));
  std::map<std::string, std::string> states = states_of_directions(changed, measurer.states);
  const auto scan =
      std::ranges::find_if(changed.nodes, [](const Node& node) { return node.op == Op::Scan && node.name.empty(); });
  if (scan == changed.nodes.end()) {
    ir::Module module{changed.source, {}, {changed}};
    return {std::move(changed), std::move(module), std::move(measurer.outputs), std::move(states)};
  }
  // No text has the network of one cell, whose scan has no name. All that it multiplies is in the cell.
  const Cell cell = *scan->scan->cell;
  return {ir::network_of(cell), {cell.source, {cell}, {}}, {}, std::move(states)};
}

std::string identity_of(const Network& network, const TensorMap& weights) {
  std::string text = ir::print(network);
  for (const Node& node : network.nodes)
    if (node.op == Op::Scan) text += ir::print(ir::scan_cell(network, node).value());
  for (const ir::Weight& weight : ir::weights_of(network)) {
    const std::vector<float> values = weights.at(weight.name).to_f32();
    const std::string_view bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    text += weight.name + " " + file_name_of(bytes) + "\n";
  }
  return network.name + " " + file_name_of(text);
}

Result<Network> with_ranges(const Network& network, const TensorMap& weights, const Ranges& ranges) {
  if (const Result<void> checked = check_weights(network, weights); !checked) return checked.error();
  const std::string identity = identity_of(network, weights);
  if (ranges.model != identity)
    return Error{ErrorCode::InvalidData,
                 {},
                 "the ranges were measured of another model or of other weights (" + ranges.model + ", not " +
                     identity + "); calibrate this one again",
                 {}};
  std::set<std::string> used;
  Network bounded = with_bounds(network, [&](const std::string& name) {
    const auto found = ranges.bounds.find(name);
    if (found == ranges.bounds.end()) return std::optional<float>();
    used.insert(name);
    return std::optional(found->second);
  });
  for (const auto& [name, bound] : ranges.bounds)
    if (!used.contains(name))
      return Error{ErrorCode::InvalidData,
                   {},
                   network.name + " has no vector " + name + ", of which there is a range; calibrate again",
                   {}};
  return bounded;
}

}  // namespace rnnc::compiler
