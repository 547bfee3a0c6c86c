#include "tests/support/run_cell.hpp"

#include <rnnc/compile.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "compiler/llvm/resolve_target.hpp"
#include "ir/interpret.hpp"
#include "ir/verify.hpp"
#include "runtime/portable.hpp"
#include "tests/support/random.hpp"

namespace rnnc::test {
namespace {

constexpr std::string_view kPortable = "portable ";

}  // namespace

double worst_error(const std::vector<float>& ours, const ir::Vector& exact) {
  if (ours.size() != exact.size()) return std::numeric_limits<double>::infinity();
  double largest = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (std::isnan(ours[i]) && std::isnan(exact[i])) continue;
    const double error = std::fabs(ours[i] - exact[i]) / std::max(1.0, std::fabs(exact[i]));
    if (!(error <= largest)) largest = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
  }
  return largest;
}

ir::Cell standard(const std::string& name, std::int64_t input_size, std::int64_t hidden_size) {
  const Model model = standard_cell(name).value();
  const ir::Cell& cell = model.module().cells.front();
  ir::DimBindings dims;
  for (const std::string& dim : cell.dims)
    dims[dim] = dim == "I" ? input_size : dim == "H" ? hidden_size : (hidden_size + 1) / 2;
  return ir::bind_dims(cell, dims).value();
}

Weights random_weights(const ir::Cell& cell, std::uint64_t seed) {
  Random random(seed);
  Weights weights;
  for (const ir::Node& node : cell.nodes) {
    if (node.op != ir::Op::Param) continue;
    const double columns = node.type.rank() == 0 ? 1 : static_cast<double>(node.type.dims.back().value());
    const auto range = static_cast<float>(1 / std::sqrt(columns));
    weights[node.name] = random.vector(static_cast<std::size_t>(elements(node.type)), -range, range);
  }
  return weights;
}

TensorMap tensors_of(const ir::Cell& cell, const Weights& weights) {
  TensorMap tensors;
  for (const ir::Node& node : cell.nodes) {
    if (node.op != ir::Op::Param) continue;
    const Shape shape = shape_of(node.type);
    tensors[node.name] = Tensor::from_f32(shape, weights.at(node.name));
  }
  return tensors;
}

std::vector<std::string> executors() {
  std::vector<std::string> result = compiler::runnable_levels();
  for (const std::string& level : compiler::runnable_levels())
    if (runtime::portable_kernels(level)) result.push_back(std::string(kPortable) + level);
  return result;
}

CompileOptions options_for(const std::string& executor) {
  if (!executor.starts_with(kPortable)) return {.cpu = executor, .backend = Backend::Jit, .cache = false};
  return {.cpu = executor.substr(kPortable.size()), .backend = Backend::Portable, .cache = false};
}

Program compile_cell(const ir::Cell& cell, const Weights& weights, const std::string& cpu, int threads,
                     std::shared_ptr<Executor> executor, Sharing sharing, const std::string& plan) {
  auto module = std::make_shared<ir::Module>();
  module->cells.push_back(cell);
  CompileOptions options = options_for(cpu);
  options.threads = threads;
  options.executor = std::move(executor);
  options.sharing = sharing;
  options.plan = plan;
  return compile(Model(std::move(module)), tensors_of(cell, weights), options).value();
}

Sequences random_sequences(const ir::Cell& cell, std::int64_t steps, std::int64_t batch, std::uint64_t seed) {
  Random random(seed);
  Sequences sequences{steps, batch, {}, {}};
  std::int64_t input_size = 0;
  for (const ir::Node& node : cell.nodes) {
    if (node.op == ir::Op::Input) input_size += elements(node.type);
    if (node.op == ir::Op::State)
      sequences.states[node.name] = random.vector(static_cast<std::size_t>(batch * elements(node.type)), -1, 1);
  }
  sequences.x = random.vector(static_cast<std::size_t>(steps * batch * input_size), -1, 1);
  return sequences;
}

Outcome run(const Program& program, const Sequences& sequences) {
  State state = program.make_state(sequences.batch);
  for (const auto& [name, values] : sequences.states) state.set(name, values).value();
  Outcome outcome;
  // NaN shows an element that nobody wrote.
  outcome.y.assign(static_cast<std::size_t>(sequences.steps * sequences.batch * program.output_size()),
                   std::numeric_limits<float>::quiet_NaN());
  const RunStatus status = program.run(state, {.x = sequences.x, .y = outcome.y, .steps = sequences.steps});
  if (status != RunStatus::Ok) throw std::runtime_error("run failed");
  for (const Port& port : program.states()) outcome.states[port.name] = state.get(port.name).value();
  return outcome;
}

double error_against_interpreter(const ir::Cell& cell, const Weights& weights, const Sequences& sequences,
                                 const Outcome& outcome) {
  ir::NamedVectors params, states;
  for (const auto& [name, values] : weights) params[name] = ir::Vector(values.begin(), values.end());
  for (const auto& [name, values] : sequences.states) states[name] = ir::Vector(values.begin(), values.end());
  const ir::Batch batch{sequences.steps, sequences.batch, ir::Vector(sequences.x.begin(), sequences.x.end()), {}};
  double largest = worst_error(outcome.y, ir::interpret(cell, params, batch, states));
  for (const auto& [name, values] : outcome.states) largest = std::max(largest, worst_error(values, states.at(name)));
  return largest;
}

}  // namespace rnnc::test
