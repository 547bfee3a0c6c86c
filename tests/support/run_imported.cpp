#include "tests/support/run_imported.hpp"

#include <algorithm>

#include <rnnc/compile.hpp>

#include "ir/interpret_network.hpp"
#include "tests/support/catch.hpp"

namespace rnnc::test {

ir::Vector interpret_imported(const Imported& imported, const ir::Vector& x, std::int64_t steps, std::int64_t batch,
                              ir::NamedVectors& finals) {
  ir::NamedVectors weights;
  const auto widened = [](const Tensor& tensor) {
    const std::vector<float> values = tensor.to_f32();
    return ir::Vector(values.begin(), values.end());
  };
  for (const auto& [name, tensor] : imported.weights) weights[name] = widened(tensor);
  for (const auto& [name, tensor] : imported.states) finals[name] = widened(tensor);
  const std::vector<std::int64_t> lengths(imported.lengths.begin(), imported.lengths.end());
  const ir::Module& module = imported.model.module();
  if (module.networks.empty()) return ir::interpret(module.cells.at(0), weights, {steps, batch, x, lengths}, finals);
  const ir::Network& network = module.networks.at(0);
  const auto input = std::ranges::find(network.nodes, ir::Op::Input, &ir::Node::op);
  REQUIRE(input != network.nodes.end());
  const ir::NetworkBatch data{batch, {{"T", {steps, lengths}}}, {{input->name, x}}};
  return ir::interpret(network, weights, data, finals);
}

ir::Vector interpret_imported(const Imported& imported, const ir::Vector& x, std::int64_t steps, std::int64_t batch) {
  ir::NamedVectors finals;
  return interpret_imported(imported, x, steps, batch, finals);
}

std::vector<float> run_imported(const Imported& imported, const std::vector<float>& x, std::int64_t steps,
                                std::int64_t batch, const std::string& cpu, ir::NamedVectors& finals) {
  const Program program = compile(imported.model, imported.weights, {.cpu = cpu}).value();
  State state = program.make_state(batch, steps);
  for (const auto& [name, tensor] : imported.states) state.set(name, tensor.to_f32()).value();
  const std::int64_t rows = program.output_time().empty() ? batch : steps * batch;
  std::vector<float> y(static_cast<std::size_t>(rows * program.output_size()));
  REQUIRE(program.run(state, {.x = x, .y = y, .steps = steps, .lengths = imported.lengths}) == RunStatus::Ok);
  for (const Port& port : program.states()) {
    const std::vector<float> values = state.get(port.name).value();
    finals[port.name] = ir::Vector(values.begin(), values.end());
  }
  return y;
}

std::vector<float> run_imported(const Imported& imported, const std::vector<float>& x, std::int64_t steps,
                                std::int64_t batch, const std::string& cpu) {
  ir::NamedVectors finals;
  return run_imported(imported, x, steps, batch, cpu, finals);
}

}  // namespace rnnc::test
