#include "tests/support/trainings.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>

#include "ir/scan.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/random.hpp"

namespace rnnc::test {
namespace {

using ir::NamedVectors;
using ir::Vector;
using Floats = std::vector<float>;

// Rounding moves a gradient that is as long as 1 by so much.
constexpr double kMostDistance = 2e-5;

Floats floats(const Vector& values) { return Floats(values.begin(), values.end()); }

void check(RunStatus status, const char* pass) {
  if (status != RunStatus::Ok) throw std::runtime_error(std::string(pass) + ": " + text(status));
}

// Numbers beyond these are no f32, or have none of their kind near.
bool is_plain(const Vector& values) {
  return std::ranges::all_of(values, [](double v) { return std::fabs(v) < 1e30; });
}

// Calls `visit` with the kind, the name, what was found and what is expected of each gradient.
template <class Visit>
void for_gradients(const Trained& trained, const Gradients& expected, const Visit& visit) {
  for (const auto& [name, values] : expected.weights) visit("weight", name, trained.weights.at(name), values);
  for (const auto& [name, values] : expected.states) visit("state", name, trained.states.at(name), values);
  for (const auto& [name, values] : trained.inputs) {
    const auto found = expected.inputs.find(name);
    visit("input", name, values, found == expected.inputs.end() ? Vector(values.size()) : found->second);
  }
}

// The gradients of a problem whose weights, states and inputs are moved by what f32 rounds off, in a random direction.
Gradients gradients_near(const TrainingProblem& problem, std::uint64_t seed, double step) {
  Random random(seed);
  const auto moved = [&](NamedVectors all) {
    for (auto& [name, values] : all)
      for (double& value : values) value *= 1 + step * static_cast<double>(random.uniform(-1, 1));
    return all;
  };
  ir::NetworkBatch batch = problem.data.batch;
  batch.inputs = moved(batch.inputs);
  return interpret_gradients(problem.network, moved(doubles_of(problem.subject)), batch, moved(problem.data.states),
                             problem.cotangents);
}

// Names what differs in two trainings; "" where nothing does.
std::string difference(const Trained& a, const Trained& b) {
  if (a.y != b.y) return "y";
  if (a.dx != b.dx) return "the gradient of x";
  const auto of = [](const std::string& what, const auto& mine, const auto& other) {
    for (const auto& [name, values] : mine)
      if (values != other.at(name)) return what + " " + name;
    return std::string();
  };
  for (const std::string& found :
       {of("output", a.outputs, b.outputs), of("the gradient of input", a.inputs, b.inputs),
        of("the gradient of weight", a.weights, b.weights), of("the gradient of state", a.states, b.states)})
    if (!found.empty()) return found;
  return "";
}

}  // namespace

TrainingProblem training_problem(const Subject& subject, const Setting& setting) {
  TrainingProblem problem{subject, network_of(subject), {}, {}};
  problem.data = random_data(problem.network, setting);
  problem.cotangents = random_cotangents(problem.network, problem.data.batch, setting.seed + 1);
  return problem;
}

bool can_train(const ir::Network& network) {
  return std::ranges::all_of(ir::times_of(network), [](const std::string& time) { return time == ir::kTime; });
}

Result<Training> try_training(const TrainingProblem& problem, const std::string& executor, int threads,
                              std::int64_t memory_bytes, std::int64_t steps) {
  TrainingOptions options;
  options.compile = options_for(executor);
  options.compile.threads = threads;
  options.batch = problem.data.batch.sequences;
  const auto time = problem.data.batch.times.find(std::string(ir::kTime));
  options.max_steps = steps > 0 ? steps : time == problem.data.batch.times.end() ? 1 : time->second.steps;
  options.memory_bytes = memory_bytes;
  return Training::make(model_of(problem.subject), tensors_of(problem.subject), options);
}

Training training_of(const TrainingProblem& problem, const std::string& executor, int threads,
                     std::int64_t memory_bytes, std::int64_t steps) {
  return try_training(problem, executor, threads, memory_bytes, steps).value();
}

Trained train(Training& training, const TrainingProblem& problem) {
  const ir::NetworkBatch& batch = problem.data.batch;
  const auto time = batch.times.find(std::string(ir::kTime));
  const ir::Time times = time == batch.times.end() ? ir::Time{1, {}} : time->second;
  const std::vector<std::int32_t> lengths(times.lengths.begin(), times.lengths.end());
  const Floats x = rows_of_x(problem.network, batch, times.steps);
  Trained trained;
  trained.dx.resize(x.size());
  std::map<std::string, Floats> named;
  for (const NamedPort& port : training.named_inputs()) named[port.port.name] = floats(batch.inputs.at(port.port.name));
  std::vector<NamedInput> inputs, d_outputs;
  std::vector<NamedOutput> outputs, d_inputs;
  for (auto& [name, values] : named) {
    inputs.push_back({name, values});
    trained.inputs[name].resize(values.size());
    d_inputs.push_back({name, trained.inputs[name]});
  }
  std::vector<Floats> cotangents;
  for (const Vector& values : problem.cotangents.outputs) cotangents.push_back(floats(values));
  const std::vector<NamedPort> ports = training.outputs();
  trained.y.resize(cotangents[0].size());
  for (std::size_t i = 1; i < ports.size(); ++i) {
    trained.outputs[ports[i].port.name].resize(cotangents[i].size());
    outputs.push_back({ports[i].port.name, trained.outputs[ports[i].port.name]});
    d_outputs.push_back({ports[i].port.name, cotangents[i]});
  }
  training.reset();
  for (const auto& [name, values] : problem.data.states) training.set_state(name, floats(values)).value();
  for (const auto& [name, values] : problem.cotangents.states)
    training.set_state_gradient(name, floats(values)).value();
  training.clear_gradients();
  check(training.forward(
            {.x = x, .y = trained.y, .steps = times.steps, .lengths = lengths, .inputs = inputs, .outputs = outputs}),
        "forward");
  check(training.backward({.dy = cotangents[0], .d_outputs = d_outputs, .dx = trained.dx, .d_inputs = d_inputs}),
        "backward");
  for (const std::string& name : training.parameters()) {
    const std::span<const float> gradient = training.gradient(name);
    trained.weights[name] = Floats(gradient.begin(), gradient.end());
  }
  for (const Port& state : training.states()) trained.states[state.name] = training.state_gradient(state.name).value();
  return trained;
}

double relative_distance(const Floats& found, const Vector& expected, double least) {
  double difference = 0, length = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    difference += (found[i] - expected[i]) * (found[i] - expected[i]);
    length += expected[i] * expected[i];
  }
  return std::sqrt(difference) / std::max(least, std::sqrt(length));
}

std::optional<std::string> distance_fault(const Trained& trained, const TrainingProblem& problem, double most) {
  const Gradients expected = interpret_gradients(problem.network, doubles_of(problem.subject), problem.data.batch,
                                                 problem.data.states, problem.cotangents);
  std::optional<std::string> fault;
  for_gradients(trained, expected, [&](const char* kind, const std::string& name, const auto& found, const Vector& by) {
    if (fault || !is_plain(by)) return;
    const double distance = relative_distance(found, by, 1);
    if (distance <= most) return;
    // A kink or jump within rounding has another gradient on its other side, and a gradient may be steep.
    double spread = 0;
    for (std::uint64_t seed = 1; seed <= 6; ++seed)
      for (const double step : {0x1p-23, 0x1p-20}) {
        const Gradients near = gradients_near(problem, seed, step);
        const auto& part = *kind == 'w' ? near.weights : *kind == 's' ? near.states : near.inputs;
        const auto moved = part.find(name);
        if (moved != part.end()) spread = std::max(spread, relative_distance(floats(moved->second), by, 1));
      }
    if (distance <= most + 4 * spread) return;
    fault = "the gradient of " + std::string(kind) + " " + name + " is " + std::to_string(distance) +
            " off the interpreter's, which moves by " + std::to_string(spread) + " with what f32 rounds off";
  });
  return fault;
}

std::optional<std::string> training_fault(const Subject& subject, const Setting& setting) {
  const TrainingProblem problem = training_problem(subject, setting);
  if (!can_train(problem.network)) return std::nullopt;
  Training training = training_of(problem, setting.executor, setting.threads);
  const Trained trained = train(training, problem);
  if (auto fault = distance_fault(trained, problem, kMostDistance)) return fault;
  const auto other_bits = [&](Training& other, const std::string& what) -> std::optional<std::string> {
    const std::string where = difference(train(other, problem), trained);
    if (where.empty()) return std::nullopt;
    return what + " gives other bits of " + where;
  };
  if (auto fault = other_bits(training, "a second training")) return fault;
  Training shared = training_of(problem, setting.executor, setting.threads + 1);
  if (auto fault = other_bits(shared, "one thread more")) return fault;
  // Half of the steps are kept, where the network runs in pieces and the memory suffices.
  Result<Training> pieces =
      try_training(problem, setting.executor, 1, training.bytes_of_step() * ((training.steps_kept() + 1) / 2));
  return pieces ? other_bits(*pieces, "running in pieces of time") : std::nullopt;
}

}  // namespace rnnc::test
