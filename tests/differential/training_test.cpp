// A Training is compared with the gradients that the interpreter computes in double precision, and with itself: on
// several threads, in pieces of time, on every executor.
#include <rnnc/training.hpp>

#include <cmath>
#include <numeric>

#include "ir/scan.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/ci_seeds.hpp"
#include "tests/support/gradients.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/random.hpp"
#include "tests/support/random_network.hpp"
#include "tests/support/random_rows.hpp"

namespace rnnc::test {
namespace {

using ir::NamedVectors;
using ir::Vector;
using Floats = std::vector<float>;

Floats floats(const Vector& values) { return Floats(values.begin(), values.end()); }

struct Trained {
  Floats y, dx;
  std::map<std::string, Floats> outputs, inputs, weights, states;
  friend bool operator==(const Trained&, const Trained&) = default;
};

// A problem in f32: the data of the interpreter's are rounded to it first.
struct Problem {
  Subject subject;
  ir::Network network;
  Data data;
  Cotangents cotangents;
};

Problem problem_of(const Subject& subject, const Setting& setting) {
  Problem problem{subject, network_of(subject), {}, {}};
  problem.data = random_data(problem.network, setting);
  problem.cotangents = random_cotangents(problem.network, problem.data.batch, setting.seed + 1);
  return problem;
}

bool has_other_time(const ir::Network& network) {
  for (const std::string& time : ir::times_of(network))
    if (time != ir::kTime) return true;
  return false;
}

Trained train(Training& training, const Problem& problem) {
  const ir::NetworkBatch& batch = problem.data.batch;
  const auto time = batch.times.find(std::string(ir::kTime));
  const ir::Time times = time == batch.times.end() ? ir::Time{1, {}} : time->second;
  const std::vector<std::int32_t> lengths(times.lengths.begin(), times.lengths.end());
  const Floats x = rows_of_x(problem.network, batch, times.steps);
  Trained outcome;
  outcome.dx.resize(x.size());
  std::map<std::string, Floats> named;
  for (const NamedPort& port : training.named_inputs()) named[port.port.name] = floats(batch.inputs.at(port.port.name));
  std::vector<NamedInput> inputs, d_outputs;
  std::vector<NamedOutput> outputs, d_inputs;
  for (auto& [name, values] : named) {
    inputs.push_back({name, values});
    outcome.inputs[name].resize(values.size());
    d_inputs.push_back({name, outcome.inputs[name]});
  }
  std::vector<Floats> cotangents;
  for (const Vector& values : problem.cotangents.outputs) cotangents.push_back(floats(values));
  const std::vector<NamedPort> ports = training.outputs();
  outcome.y.resize(cotangents[0].size());
  for (std::size_t i = 1; i < ports.size(); ++i) {
    outcome.outputs[ports[i].port.name].resize(cotangents[i].size());
    outputs.push_back({ports[i].port.name, outcome.outputs[ports[i].port.name]});
    d_outputs.push_back({ports[i].port.name, cotangents[i]});
  }
  training.reset();
  for (const auto& [name, values] : problem.data.states) training.set_state(name, floats(values)).value();
  for (const auto& [name, values] : problem.cotangents.states)
    training.set_state_gradient(name, floats(values)).value();
  training.clear_gradients();
  REQUIRE(
      training.forward(
          {.x = x, .y = outcome.y, .steps = times.steps, .lengths = lengths, .inputs = inputs, .outputs = outputs}) ==
      RunStatus::Ok);
  REQUIRE(training.backward({.dy = cotangents[0], .d_outputs = d_outputs, .dx = outcome.dx, .d_inputs = d_inputs}) ==
          RunStatus::Ok);
  for (const std::string& name : training.parameters()) {
    const std::span<const float> gradient = training.gradient(name);
    outcome.weights[name] = Floats(gradient.begin(), gradient.end());
  }
  for (const Port& state : training.states()) outcome.states[state.name] = training.state_gradient(state.name).value();
  return outcome;
}

Training training_of(const Problem& problem, const std::string& executor, int threads, std::int64_t memory = 0,
                     std::int64_t steps = 0) {
  TrainingOptions options;
  options.compile = options_for(executor);
  options.compile.threads = threads;
  options.batch = problem.data.batch.sequences;
  const auto time = problem.data.batch.times.find(std::string(ir::kTime));
  options.max_steps = steps > 0 ? steps : time == problem.data.batch.times.end() ? 1 : time->second.steps;
  options.memory_bytes = memory;
  return Training::make(model_of(problem.subject), tensors_of(problem.subject), options).value();
}

// The distance of two vectors over the length of the expected one, or over `least` if that is longer.
double relative_distance(const Floats& found, const Vector& expected, double least) {
  double difference = 0, length = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    difference += (found[i] - expected[i]) * (found[i] - expected[i]);
    length += expected[i] * expected[i];
  }
  return std::sqrt(difference) / std::max(least, std::sqrt(length));
}

void check_near(const Trained& outcome, const Problem& problem, double most) {
  NamedVectors rounded = problem.data.states;
  const Gradients expected = interpret_gradients(problem.network, doubles_of(problem.subject), problem.data.batch,
                                                 rounded, problem.cotangents);
  for (const auto& [name, values] : expected.weights) {
    INFO("of weight " << name);
    CHECK(relative_distance(outcome.weights.at(name), values, 1) <= most);
  }
  for (const auto& [name, values] : expected.states) {
    INFO("of state " << name);
    CHECK(relative_distance(outcome.states.at(name), values, 1) <= most);
  }
  for (const auto& [name, values] : outcome.inputs) {
    INFO("of input " << name);
    const auto found = expected.inputs.find(name);
    CHECK(relative_distance(values, found == expected.inputs.end() ? Vector(values.size()) : found->second, 1) <= most);
  }
}

}  // namespace

TEST_CASE("trainings have the gradients of the interpreter, on every executor and on threads",
          "[differential][gradient][training]") {
  int trained = 0;
  for (std::uint64_t seed = 0; seed < kTrainings; ++seed) {
    Subject subject = seed % 3 == 0 ? random_network(seed) : Subject{};
    if (seed % 3 != 0) {
      RandomCell random = seed % 3 == 1 ? random_cell(seed) : random_rows(seed);
      subject = {std::move(random.cell), std::move(random.weights)};
    }
    Setting setting = random_setting(subject, seed);
    setting.steps = std::min<std::int64_t>(setting.steps, 20);
    const Problem problem = problem_of(subject, setting);
    if (has_other_time(problem.network)) continue;
    ++trained;
    INFO("seed " << seed);
    const std::vector<std::string> names = executors();
    const std::string& executor = names[seed % names.size()];
    Training training = training_of(problem, executor, 1);
    const Trained outcome = train(training, problem);
    check_near(outcome, problem, 2e-5);
    CHECK(train(training, problem) == outcome);
    if (seed % 4 != 0) continue;
    for (const int threads : {2, 3, 64}) {
      Training shared = training_of(problem, executor, threads);
      CHECK(train(shared, problem) == outcome);
    }
  }
  CHECK(trained > static_cast<int>(kTrainings) / 2);
}

namespace {

Problem standard_problem(const std::string& name, std::int64_t inputs, std::int64_t units, std::int64_t steps,
                         std::int64_t batch, bool ragged = false) {
  const ir::Cell cell = standard(name, inputs, units);
  Subject subject{cell, random_weights(cell, 5)};
  Setting setting;
  setting.steps = steps;
  setting.batch = batch;
  setting.ragged = ragged;
  setting.seed = 3;
  return problem_of(subject, setting);
}

}  // namespace

TEST_CASE("gradients of 100 steps are within 5e-7 of those in double precision", "[differential][gradient][training]") {
  for (const std::string name : {"lstm", "gru", "ligru", "lstm_layer_norm", "rnn", "lstm_projection", "gru_cho"}) {
    const Problem problem = standard_problem(name, 37, 48, 100, 5);
    const Gradients expected = interpret_gradients(problem.network, doubles_of(problem.subject), problem.data.batch,
                                                   problem.data.states, problem.cotangents);
    Training training = training_of(problem, "host", 1);
    const Trained outcome = train(training, problem);
    for (const auto& [weight, values] : expected.weights) {
      INFO(name << " " << weight);
      CHECK(relative_distance(outcome.weights.at(weight), values, 1e-30) <= 5e-7);
    }
  }
}

// Rows of an input without a time lie apart by its whole width, whatever part of it a product reads.
TEST_CASE("products with a part of an input have its gradients", "[differential][gradient][training]") {
  const std::string text =
      "network parts {\n  input x : seq f32[3]\n  input e : f32[7]\n"
      "  param W : f32[5, 2]\n  param V : f32[5, 3]\n  param U : f32[5, 2]\n"
      "  a = W @ e[2:4]\n  output y = tanh(V @ x + a) + U @ x[1:3]\n}\n";
  const ir::Network network = network_of(text);
  Random random(4);
  Subject subject{network, {}};
  for (const auto& [name, values] : random_weights(network, random)) subject.weights[name] = floats(values);
  Setting setting;
  setting.steps = 5;
  setting.batch = 4;
  const Problem problem = problem_of(subject, setting);
  Training training = training_of(problem, "host", 1);
  check_near(train(training, problem), problem, 2e-6);
}

TEST_CASE("a training in pieces of time has the bits of the whole", "[differential][gradient][training]") {
  for (const bool ragged : {false, true}) {
    for (const std::int64_t batch : {1, 3, 70}) {
      const Problem problem = standard_problem("lstm", 5, 7, 400, batch, ragged);
      Training whole = training_of(problem, "host", 1);
      CHECK(whole.steps_kept() == 400);
      const Trained outcome = train(whole, problem);
      const std::int64_t memory = whole.bytes_of_step() * 300;
      Training pieces = training_of(problem, "host", 1, memory);
      CHECK(pieces.steps_kept() < 300);
      CHECK(train(pieces, problem) == outcome);
      CHECK(train(pieces, problem) == outcome);
    }
  }
}

}  // namespace rnnc::test
