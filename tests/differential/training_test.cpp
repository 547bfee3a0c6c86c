// A Training is compared with the gradients that the interpreter computes in double precision, and with itself: on
// several threads, in pieces of time, on every executor.
#include <algorithm>
#include <cmath>

#include "tests/support/catch.hpp"
#include "tests/support/ci_seeds.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/random.hpp"
#include "tests/support/random_network.hpp"
#include "tests/support/random_rows.hpp"
#include "tests/support/trainings.hpp"

namespace rnnc::test {

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
    if (!can_train(network_of(subject))) continue;
    ++trained;
    INFO("seed " << seed);
    const std::vector<std::string> names = executors();
    setting.executor = names[seed % names.size()];
    setting.threads = 1;
    CHECK(training_fault(subject, setting).value_or("") == "");
    if (seed % 4 != 0) continue;
    const TrainingProblem problem = training_problem(subject, setting);
    Training alone = training_of(problem, setting.executor, 1);
    const Trained outcome = train(alone, problem);
    for (const int threads : {3, 64}) {
      Training shared = training_of(problem, setting.executor, threads);
      CHECK(train(shared, problem) == outcome);
    }
  }
  CHECK(trained > static_cast<int>(kTrainings) / 2);
}

namespace {

TrainingProblem standard_problem(const std::string& name, std::int64_t inputs, std::int64_t units, std::int64_t steps,
                                 std::int64_t batch, bool ragged = false) {
  const ir::Cell cell = standard(name, inputs, units);
  Subject subject{cell, random_weights(cell, 5)};
  Setting setting;
  setting.steps = steps;
  setting.batch = batch;
  setting.ragged = ragged;
  setting.seed = 3;
  return training_problem(subject, setting);
}

Subject with_weights(const ir::Network& network) {
  Random random(4);
  Subject subject{network, {}};
  for (const auto& [name, values] : random_weights(network, random))
    subject.weights[name] = std::vector<float>(values.begin(), values.end());
  return subject;
}

// A network whose matrix V multiplies two sequences, so that its gradient is a sum over rows of two values.
TrainingProblem twice_problem(std::int64_t steps, std::int64_t batch) {
  const ir::Network network = network_of(
      "network twice {\n  input x : seq f32[5]\n  param V : f32[5, 5]\n  h = gru<H=5>(V @ x)\n"
      "  output y = V @ tanh(h)\n}\n");
  const Subject subject = with_weights(network);
  Setting setting;
  setting.steps = steps;
  setting.batch = batch;
  return training_problem(subject, setting);
}

}  // namespace

TEST_CASE("gradients of 100 steps are within 5e-7 of those in double precision", "[differential][gradient][training]") {
  for (const std::string name : {"lstm", "gru", "ligru", "lstm_layer_norm", "rnn", "lstm_projection", "gru_cho"}) {
    const TrainingProblem problem = standard_problem(name, 37, 48, 100, 5);
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
  const Subject subject = with_weights(network);
  Setting setting;
  setting.steps = 5;
  setting.batch = 4;
  const TrainingProblem problem = training_problem(subject, setting);
  Training training = training_of(problem, "host", 1);
  CHECK(distance_fault(train(training, problem), problem, 2e-6).value_or("") == "");
}

// The backward pass computes sigmoid(x) * p again, beside other operations, where it may be rounded otherwise.
TEST_CASE("the largest of values that are not saved has its gradient", "[differential][gradient][training]") {
  for (const std::string body :
       {"input x : f32[6] param p : f32[6] output max(sigmoid(x) * p)",
        "input x : f32[6] param p : f32[3] output max_rows(sigmoid(rows(x, 2)) * p)",
        "input x : f32[6] param p : f32[6] output max((sigmoid(x) * p)[1:5]) + max(concat(x[0:2], tanh(x) / p))"}) {
    INFO(body);
    const ir::Network network = network_of("cell most { " + body +
                                           " } network n { input x : seq f32[6] y = most(x) "
                                           "output y output z = max(sigmoid(x) * tanh(x)) }");
    const Subject subject = with_weights(network);
    for (const std::string& executor : executors()) {
      Setting setting;
      setting.executor = executor;
      setting.steps = 200;
      setting.batch = 3;
      CHECK(training_fault(subject, setting).value_or("") == "");
    }
  }
}

// Both terms of b add to the same elements, as do those of the table, and of W, whose windows overlap.
TEST_CASE("a weight of several terms has the same gradient for any number of threads",
          "[differential][gradient][training][threads]") {
  const ir::Network network = network_of(
      "network n { input x : seq f32[40] input token : seq f32 param b : f32[40] param table : f32[50, 40] "
      "param W : f32[120, 40] h = bidirectional gru<H=60>(x, b) e = lookup(table, token) "
      "output tanh(W @ e) + W @ x output t = table @ x output w = W[20:90, 0:40] @ (e + b) output z = h }"
      "cell gru<I, J, H> { input x : f32[I] input y : f32[J] state h : f32[H] param W : f32[H, I] param V : f32[H, J] "
      "h' = tanh(W @ x + V @ y + h) output h' }");
  const Subject subject = with_weights(network);
  Setting setting;
  setting.steps = 30;
  setting.batch = 4;
  TrainingProblem problem = training_problem(subject, setting);
  double next = 0;
  for (double& token : problem.data.batch.inputs.at("token")) token = std::fmod(next += 7, 50);
  for (const std::string& executor : executors()) {
    Training one = training_of(problem, executor, 1);
    const Trained alone = train(one, problem);
    for (const int threads : {2, 3, 7}) {
      Training several = training_of(problem, executor, threads);
      for (int time = 0; time < 10; ++time) CHECK(train(several, problem) == alone);
    }
  }
}

TEST_CASE("a sequence that is turned has its gradient, within the length of each",
          "[differential][gradient][training]") {
  const ir::Network network = network_of(
      "network n { input x : seq f32[3] param W : f32[3, 3] h = gru<H=3>(turned(W @ x)) k = turned(sum(h) + x) "
      "output y = turned(h) * x output z = k * h }");
  const Subject subject = with_weights(network);
  for (const std::string& executor : executors()) {
    Setting setting;
    setting.executor = executor;
    setting.steps = 9;
    setting.batch = 4;
    setting.ragged = true;
    CHECK(training_fault(subject, setting).value_or("") == "");
  }
}

TEST_CASE("functions over time have their gradients in every pass", "[differential][gradient][training]") {
  for (const std::string function : {"last", "first", "sum", "max", "mean"}) {
    INFO(function);
    const ir::Network network = network_of(
        "network over {\n  input x : seq f32[3]\n  param W : f32[3, 3]\n  h = gru<H=3>(W @ x)\n  a = " + function +
        "(h)\n  output y = a * " + function + "(x)\n}\n");
    const Subject subject = with_weights(network);
    Setting setting;
    setting.steps = 9;
    setting.batch = 4;
    setting.ragged = true;
    CHECK(training_fault(subject, setting).value_or("") == "");

    // The second of two passes, which goes on from the first, is the pass of a new training with the states that this
    // left.
    Random random(4);
    const std::vector<float> x = random.vector(3 * 2 * 3, -1, 1), dy = random.vector(2 * 3, -1, 1);
    const auto pass = [&](Training& training) {
      std::vector<float> y(2 * 3), dx(x.size());
      training.clear_gradients();
      CHECK(training.forward({.x = x, .y = y, .steps = 3}) == RunStatus::Ok);
      CHECK(training.backward({.dy = dy, .dx = dx}) == RunStatus::Ok);
      const std::span<const float> gradient = training.gradient("W");
      y.insert(y.end(), gradient.begin(), gradient.end());
      y.insert(y.end(), dx.begin(), dx.end());
      return y;
    };
    TrainingOptions options;
    options.batch = 2;
    options.max_steps = 3;
    const auto make = [&] { return Training::make(model_of(subject), tensors_of(subject), options).value(); };
    Training both = make(), second = make();
    CHECK(both.states().size() == 1);
    pass(both);
    for (const Port& state : both.states()) second.set_state(state.name, both.state(state.name).value()).value();
    CHECK(pass(both) == pass(second));
  }
}

TEST_CASE("a training in pieces of time has the bits of the whole", "[differential][gradient][training]") {
  for (const bool ragged : {false, true}) {
    for (const std::int64_t batch : {1, 3, 70}) {
      const TrainingProblem problem =
          ragged ? standard_problem("lstm", 5, 7, 400, batch, true) : twice_problem(400, batch);
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
