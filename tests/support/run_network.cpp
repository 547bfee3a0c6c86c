#include "tests/support/run_network.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>

#include "ir/scan.hpp"
#include "tests/support/run_cell.hpp"

namespace rnnc::test {
namespace {

std::vector<float> narrowed(const ir::Vector& values) { return {values.begin(), values.end()}; }

// One time's, as the compiled network takes them.
struct Lengths {
  std::int64_t steps = 0;
  std::vector<std::int32_t> values;
};

}  // namespace

Model model_of(const ir::Network& network) {
  auto module = std::make_shared<ir::Module>();
  module->networks.push_back(network);
  return Model(std::move(module));
}

TensorMap tensors_of(const ir::Network& network, const ir::NamedVectors& weights) {
  TensorMap tensors;
  for (const ir::Weight& weight : ir::weights_of(network)) {
    const Shape shape = shape_of(weight.type);
    tensors[weight.name] = Tensor::from_f32(shape, narrowed(weights.at(weight.name)));
  }
  return tensors;
}

Program compile_network(const ir::Network& network, const ir::NamedVectors& weights, const CompileOptions& options) {
  return compile(model_of(network), tensors_of(network, weights), options).value();
}

std::vector<float> rows_of_x(const ir::Graph& graph, const ir::NetworkBatch& batch, std::int64_t steps) {
  std::vector<float> x;
  for (std::int64_t row = 0; row < steps * batch.sequences; ++row)
    for (const ir::Node& node : graph.nodes) {
      const bool in_x = graph.kind == ir::Graph::Kind::Cell || node.type.axis == ir::kTime;
      if (node.op != ir::Op::Input || !in_x) continue;
      const std::int64_t width = node.type.rank() == 0 ? 1 : node.type.dims[0].value();
      const auto from = batch.inputs.at(node.name).begin() + row * width;
      x.insert(x.end(), from, from + width);
    }
  return x;
}

std::vector<std::string> times_of(const ir::Graph& graph) {
  if (graph.kind == ir::Graph::Kind::Cell) return {std::string(ir::kTime)};
  return ir::times_of(ir::Network(graph));
}

NetworkOutcome run_network(const Program& program, const ir::Graph& network, const ir::NetworkBatch& batch,
                           const ir::NamedVectors& states, std::int64_t max_steps, const FloatMode* mode,
                           Workspace* workspace) {
  std::map<std::string, Lengths> times = {{"T", {}}};
  std::int64_t most = 0;
  for (const auto& [name, time] : batch.times) {
    times[name] = {time.steps, {time.lengths.begin(), time.lengths.end()}};
    most = std::max(most, time.steps);
  }
  State state = workspace ? program.make_state_without_workspace(batch.sequences)
                          : program.make_state(batch.sequences, max_steps == 0 ? most : max_steps);
  for (const auto& [name, values] : states) state.set(name, narrowed(values)).value();
  std::map<std::string, std::vector<float>> values;
  std::vector<NamedInput> inputs;
  for (const NamedPort& each : program.named_inputs()) {
    values[each.port.name] = narrowed(batch.inputs.at(each.port.name));
    inputs.push_back({values.find(each.port.name)->first, values[each.port.name]});
  }
  std::vector<NamedTime> others;
  for (const std::string& name : times_of(network))
    if (name != "T") others.push_back({times.find(name)->first, times[name].steps, times[name].values});
  const std::vector<float> x = rows_of_x(network, batch, times["T"].steps);
  NetworkOutcome outcome;
  const std::vector<NamedPort> ports = program.outputs();
  const auto make_room = [&](const NamedPort& port, std::vector<float>& to) {
    const std::int64_t steps = port.time.empty() ? 1 : times.at(port.time).steps;
    const std::int64_t size = port.port.size();
    to.assign(static_cast<std::size_t>(steps * batch.sequences * size), std::numeric_limits<float>::quiet_NaN());
  };
  make_room(ports[0], outcome.y);
  std::vector<NamedOutput> outputs;
  for (std::size_t i = ports.size(); i-- > 1;) {
    make_room(ports[i], outcome.outputs[ports[i].port.name]);
    outputs.push_back({ports[i].port.name, outcome.outputs[ports[i].port.name]});
  }
  const RunArguments arguments{.x = x,
                               .y = outcome.y,
                               .steps = times["T"].steps,
                               .lengths = times["T"].values,
                               .inputs = inputs,
                               .times = others,
                               .workspace = workspace,
                               .outputs = outputs};
  RunStatus status{};
  const auto call = [&] { status = program.run(state, arguments); };
  if (mode)
    in_mode(*mode, call);
  else
    call();
  if (status != RunStatus::Ok) throw std::runtime_error("run failed: " + std::to_string(static_cast<int>(status)));
  for (const Port& port : program.states()) outcome.states[port.name] = state.get(port.name).value();
  return outcome;
}

double error_against_interpreter(const ir::Network& network, const ir::NamedVectors& weights,
                                 const ir::NetworkBatch& batch, ir::NamedVectors states,
                                 const NetworkOutcome& outcome) {
  const std::vector<ir::Vector> exact = ir::interpret_outputs(network, weights, batch, states);
  double largest = worst_error(outcome.y, exact[0]);
  const std::vector<ir::NamedValue> outputs = network.outputs();
  for (std::size_t i = 1; i < outputs.size(); ++i)
    largest = std::max(largest, worst_error(outcome.outputs.at(outputs[i].name), exact[i]));
  for (const auto& [name, values] : outcome.states) largest = std::max(largest, worst_error(values, states.at(name)));
  return largest;
}

}  // namespace rnnc::test
