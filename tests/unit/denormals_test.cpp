// Denormals count as zero inside a call, wherever they come from and whatever runs it. bench/denormals.cpp measures
// what a step costs then.
#if defined(__x86_64__)
#include <cmath>
#include <limits>

#include <rnnc/ahead.hpp>
#include <rnnc/artifact.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/linked_object.hpp"
#include "tests/support/subject.hpp"

namespace rnnc::test {
namespace {

// With a sum of its states, so that products and reductions see them; x is silence.
Subject leak(const std::string& decay, std::int64_t size) {
  const std::string n = std::to_string(size);
  const std::string text = "cell leak { input x : f32 state h : f32[" + n + "] param U : f32[" + n + ", " + n +
                           "] h' = " + decay + " * h + x output U @ h' + sum(h') }";
  ir::Graph graph = parse(text).value().module().cells.at(0);
  return {graph, {{"U", std::vector<float>(static_cast<std::size_t>(size * size), 0.25f)}}};
}

Data silence(const Subject& subject, std::int64_t steps, std::int64_t batch, double begin) {
  Data data = random_data(subject.graph, {.steps = steps, .batch = batch});
  for (auto& [name, values] : data.batch.inputs) std::fill(values.begin(), values.end(), 0.0);
  for (auto& [name, values] : data.states) std::fill(values.begin(), values.end(), begin);
  return data;
}

bool has_denormal(const NetworkOutcome& outcome) {
  const auto is = [](float value) { return std::fpclassify(value) == FP_SUBNORMAL; };
  bool any = std::any_of(outcome.y.begin(), outcome.y.end(), is);
  for (const auto& [name, values] : outcome.states) any = any || std::any_of(values.begin(), values.end(), is);
  return any;
}

}  // namespace

TEST_CASE("a state that decays ends as zero and is never denormal, on every executor", "[denormals]") {
  for (const std::string& executor : executors())
    for (const std::int64_t size : {1, 17, 33})
      for (const int threads : {1, 3}) {
        INFO(executor << ", " << size << " units, " << threads << " threads");
        const Subject subject = leak("0.75", size);
        const Program program = compile(subject, {.executor = executor, .threads = threads, .sharing = Sharing::Units});
        const Data data = silence(subject, 400, 3, 1);
        const NetworkOutcome outcome = run(program, subject.graph, data);
        CHECK_FALSE(has_denormal(outcome));
        CHECK(outcome.states.at("h") == std::vector<float>(static_cast<std::size_t>(3 * size), 0.f));
        CHECK(outcome.y.back() == 0.f);
        CHECK(outcome.y.front() > 0.f);
      }
}

TEST_CASE("denormal inputs, states and weights count as zero", "[denormals]") {
  const float tiny = 1e-40f;
  for (const std::string& executor : executors()) {
    INFO(executor);
    Subject subject = leak("1", 5);
    Data data = silence(subject, 1, 2, tiny);
    for (double& value : data.batch.inputs.at("x")) value = tiny;
    const NetworkOutcome outcome = run(compile(subject, {.executor = executor}), subject.graph, data);
    CHECK(outcome.y == std::vector<float>(10, 0.f));
    CHECK(outcome.states.at("h") == std::vector<float>(10, 0.f));
    subject.weights.at("U").assign(25, tiny);
    const Data large = silence(subject, 1, 1, std::ldexp(1., 100));
    const NetworkOutcome scaled = run(compile(subject, {.executor = executor}), subject.graph, large);
    CHECK(scaled.y == std::vector<float>(5, static_cast<float>(5 * std::ldexp(1., 100))));  // the sum alone
  }
}

TEST_CASE("artifacts and objects flush as generated code does", "[denormals]") {
  const Subject subject = leak("0.75", 17);
  const Data data = silence(subject, 400, 2, 1);
  const Program program = compile(subject, {});
  const NetworkOutcome expected = run(program, subject.graph, data);
  const std::string cpu = program.cpu();
  const Program loaded =
      parse_artifact(compile_artifact(model_of(subject), tensors_of(subject), {.targets = {cpu}}).value()).value();
  const ObjectFiles files =
      compile_object(model_of(subject), tensors_of(subject), {.name = "m", .targets = {cpu}}).value();
  CHECK(run(loaded, subject.graph, data) == expected);
  CHECK(run_object({files, program.states()}, program, subject.graph, data.batch, data.states) == expected);
}

}  // namespace rnnc::test
#endif
