#include "tests/support/subject.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <set>
#include <stdexcept>

#include "compiler/network/named_values.hpp"
#include "compiler/passes/pass.hpp"
#include "ir/scan.hpp"
#include "tests/support/random.hpp"

namespace rnnc::test {
namespace {

std::int64_t width_of(const ir::Type& type) { return type.rank() == 0 ? 1 : type.dims[0].value(); }

// A cell's inputs are rows of time T, as a network's sequences are.
std::string axis_of(const ir::Graph& graph, const ir::Type& type) {
  return graph.kind == ir::Graph::Kind::Cell ? std::string(ir::kTime) : type.axis;
}

ir::Vector random_values(Random& random, std::int64_t count) {
  const std::vector<float> values = random.vector(static_cast<std::size_t>(count), -1, 1);
  return {values.begin(), values.end()};
}

// Rows [begin, end) of [rows, batch, width], of sequence b alone or of all where b < 0.
template <class Values>
Values cut(const Values& all, std::int64_t batch, std::int64_t rows, std::int64_t begin, std::int64_t end,
           std::int64_t b = -1) {
  if (rows == 0 || batch == 0) return {};
  const std::int64_t width = std::ssize(all) / (rows * batch), row = b < 0 ? batch * width : width;
  Values result;
  for (std::int64_t t = begin; t < end; ++t) {
    const auto from = all.begin() + t * batch * width + std::max<std::int64_t>(b, 0) * width;
    result.insert(result.end(), from, from + row);
  }
  return result;
}

std::int64_t rows_of(const ir::Graph& graph, const ir::NetworkBatch& batch, const ir::Type& type) {
  const std::string axis = axis_of(graph, type);
  return axis.empty() ? 1 : batch.times.at(axis).steps;
}

ir::Network network_of(const Subject& subject) {
  return subject.graph.kind == ir::Graph::Kind::Network ? ir::Network(subject.graph)
                                                        : ir::network_of(ir::Cell(subject.graph));
}

// Returns the cell that the interpreter runs: one of integers is what a program would run, but in doubles.
ir::Cell cell_of(const Subject& subject, const Setting& setting) {
  if (!runtime::is_integer(setting.weights)) return ir::Cell(subject.graph);
  ir::Cell cell(subject.graph);
  if (!setting.ranges.empty()) {
    const ir::Network network = compiler::with_ranges(network_of(subject), tensors_of(subject), setting.ranges).value();
    cell = ir::scan_cell(network, *std::ranges::find(network.nodes, ir::Op::Scan, &ir::Node::op)).value();
  }
  return compiler::run_passes(cell, "quantize", {}, compiler::kPasses, setting.weights);
}

std::vector<ir::Vector> interpret(const Subject& subject, const Setting& setting, const Data& data,
                                  ir::NamedVectors& states) {
  ir::NamedVectors weights;
  for (const auto& [name, values] : subject.weights) weights[name] = ir::Vector(values.begin(), values.end());
  if (subject.graph.kind == ir::Graph::Kind::Network)
    return ir::interpret_outputs(ir::Network(subject.graph), weights, data.batch, states);
  const ir::Time& time = data.batch.times.at(std::string(ir::kTime));
  const std::vector<float> x = rows_of_x(subject.graph, data.batch, time.steps);
  const ir::Batch batch{time.steps, data.batch.sequences, {x.begin(), x.end()}, time.lengths};
  return {ir::interpret(cell_of(subject, setting), weights, batch, states)};
}

}  // namespace

Ranges ranges_of(const Subject& subject, float bound) {
  const ir::Network network = network_of(subject);
  Ranges ranges{compiler::identity_of(network, tensors_of(subject)), 1, {}};
  for (const auto& [name, proved] : compiler::multiplied_vectors(network))
    if (!proved) ranges.bounds[name] = bound;
  return ranges;
}

Model model_of(const Subject& subject) {
  auto module = std::make_shared<ir::Module>();
  if (subject.graph.kind == ir::Graph::Kind::Cell) {
    module->cells.emplace_back(subject.graph);
    return Model(std::move(module));
  }
  const std::vector<std::string> standard = standard_cell_names();
  std::set<std::string> known(standard.begin(), standard.end());
  for (const ir::Node& node : subject.graph.nodes)
    if (node.op == ir::Op::Scan && known.insert(node.scan->cell->name).second)
      module->cells.push_back(*node.scan->cell);
  module->networks.emplace_back(subject.graph);
  return Model(std::move(module));
}

TensorMap tensors_of(const Subject& subject) {
  TensorMap tensors;
  for (const ir::Weight& weight : ir::weights_of(subject.graph)) {
    const Shape shape = shape_of(weight.type);
    tensors[weight.name] = Tensor::from_f32(shape, subject.weights.at(weight.name));
  }
  return tensors;
}

void leave_out_blocks(Subject& subject, std::uint64_t seed, double kept) {
  constexpr std::int64_t kRows = 16, kColumns = 4;
  Random random(seed);
  for (const ir::Weight& weight : ir::weights_of(subject.graph)) {
    const Shape shape = shape_of(weight.type);
    if (shape.size() != 2) continue;
    std::vector<float>& values = subject.weights.at(weight.name);
    for (std::int64_t row = 0; row < shape[0]; row += kRows)
      for (std::int64_t column = 0; column < shape[1]; column += kColumns) {
        if (random.chance(kept)) continue;
        for (std::int64_t r = row; r < std::min(row + kRows, shape[0]); ++r)
          std::fill_n(values.begin() + r * shape[1] + column, std::min(kColumns, shape[1] - column), 0.0f);
      }
  }
}

Program compile(const Subject& subject, const Setting& setting) {
  CompileOptions options = options_for(setting.executor);
  options.cell = subject.graph.name;
  options.threads = setting.threads;
  options.sharing = setting.sharing;
  options.plan = setting.plan;
  options.weights = setting.weights;
  options.sparse = setting.sparse;
  options.ranges = setting.ranges;
  return rnnc::compile(model_of(subject), tensors_of(subject), options).value();
}

Data random_data(const ir::Graph& graph, const Setting& setting) {
  Random random(setting.seed);
  Data data{{setting.batch, {}, {}}, {}};
  for (const std::string& name : times_of(graph)) {
    ir::Time& time = data.batch.times[name];
    time.steps = name == ir::kTime ? setting.steps : 1 + static_cast<std::int64_t>(random.below(6));
    for (std::int64_t b = 0; setting.ragged && b < setting.batch; ++b)
      time.lengths.push_back(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(time.steps) + 1)));
  }
  for (const ir::Node& node : graph.nodes) {
    if (node.op != ir::Op::Input) continue;
    const std::int64_t rows = rows_of(graph, data.batch, node.type);
    data.batch.inputs[node.name] = random_values(random, rows * setting.batch * width_of(node.type));
  }
  const auto begin = [&](const std::string& name, const ir::Type& type) {
    data.states[name] = random_values(random, setting.batch * width_of(type));
  };
  for (const ir::Node& node : graph.nodes) {
    if (node.op == ir::Op::State) begin(node.name, node.type);
    if (node.op != ir::Op::Scan) continue;
    const ir::Cell cell = ir::scan_cell(graph, node).value();
    for (const std::string& prefix : ir::scan_prefixes(node))
      for (const ir::Node& state : cell.nodes)
        if (state.op == ir::Op::State) begin(prefix + state.name, state.type);
  }
  return data;
}

Data alone(const ir::Graph& graph, const Data& all, std::int64_t b) {
  Data one{{1, all.batch.times, {}}, {}};
  for (auto& [name, time] : one.batch.times)
    if (!time.lengths.empty()) time.lengths = {time.lengths[static_cast<std::size_t>(b)]};
  for (const ir::Node& node : graph.nodes) {
    if (node.op != ir::Op::Input) continue;
    const std::int64_t rows = rows_of(graph, all.batch, node.type);
    one.batch.inputs[node.name] = cut(all.batch.inputs.at(node.name), all.batch.sequences, rows, 0, rows, b);
  }
  for (const auto& [name, values] : all.states) one.states[name] = cut(values, all.batch.sequences, 1, 0, 1, b);
  return one;
}

NetworkOutcome alone(const ir::Graph& graph, const NetworkOutcome& all, std::int64_t batch, std::int64_t b) {
  const auto own_part = [&](const std::vector<float>& values, ir::Value output) {
    const std::int64_t width = width_of(graph[output].type), rows = std::ssize(values) / (batch * width);
    return cut(values, batch, rows, 0, rows, b);
  };
  const std::vector<ir::NamedValue> outputs = graph.outputs();
  NetworkOutcome one{own_part(all.y, outputs[0].value), {}};
  for (std::size_t i = 1; i < outputs.size(); ++i)
    one.outputs[outputs[i].name] = own_part(all.outputs.at(outputs[i].name), outputs[i].value);
  for (const auto& [name, values] : all.states) one.states[name] = cut(values, batch, 1, 0, 1, b);
  return one;
}

NetworkOutcome run(const Program& program, const ir::Graph& graph, const Data& data, const FloatMode* mode) {
  return run_network(program, graph, data.batch, data.states, 0, mode);
}

NetworkOutcome run_pieces(const Program& program, const ir::Graph& graph, const Data& data,
                          const std::vector<std::int64_t>& pieces) {
  const std::int64_t batch = data.batch.sequences, steps = data.batch.times.at(std::string(ir::kTime)).steps;
  const std::vector<NamedPort> ports = program.outputs();
  Data rest = data;
  NetworkOutcome whole;
  std::int64_t t = 0;
  for (std::size_t i = 0; t < steps; ++i) {
    const std::int64_t length = std::clamp<std::int64_t>(pieces[i % pieces.size()], 1, steps - t);
    rest.batch.times.at(std::string(ir::kTime)).steps = length;
    for (const ir::Node& node : graph.nodes) {
      if (node.op != ir::Op::Input || axis_of(graph, node.type).empty()) continue;
      rest.batch.inputs[node.name] = cut(data.batch.inputs.at(node.name), batch, steps, t, t + length);
    }
    NetworkOutcome piece = run(program, graph, rest);
    for (const NamedPort& port : ports) {
      const bool is_first = &port == &ports.front();
      std::vector<float>& to = is_first ? whole.y : whole.outputs[port.port.name];
      const std::vector<float>& from = is_first ? piece.y : piece.outputs.at(port.port.name);
      if (port.time.empty()) to.clear();  // the last piece tells
      to.insert(to.end(), from.begin(), from.end());
    }
    for (const auto& [name, values] : piece.states) rest.states[name] = ir::Vector(values.begin(), values.end());
    whole.states = std::move(piece.states);
    t += length;
  }
  return whole;
}

double error_against_interpreter(const Subject& subject, const Setting& setting, const Data& data,
                                 const NetworkOutcome& outcome) {
  ir::NamedVectors states = data.states;
  const std::vector<ir::Vector> exact = interpret(subject, setting, data, states);
  double largest = worst_error(outcome.y, exact[0]);
  const std::vector<ir::NamedValue> outputs = subject.graph.outputs();
  for (std::size_t i = 1; i < outputs.size(); ++i)
    largest = std::max(largest, worst_error(outcome.outputs.at(outputs[i].name), exact[i]));
  for (const auto& [name, values] : outcome.states) largest = std::max(largest, worst_error(values, states.at(name)));
  return largest;
}

double most_error(const Setting& setting) {
  constexpr double kOf8Bits = 0.03, kOf16Bits = 2e-4;
  if (runtime::is_integer(setting.weights)) return runtime::vector_digits(setting.weights) == 1 ? kOf8Bits : kOf16Bits;
  return setting.steps == 1 ? 1e-6 : 5e-6;
}

}  // namespace rnnc::test
