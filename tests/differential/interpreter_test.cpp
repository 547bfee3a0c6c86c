// Generated code and the portable executor against the double-precision interpreter, which shares none of their formulas:
// every element, ugly sizes, every ISA level that this machine runs.
#include <rnnc/model.hpp>

#include <cmath>
#include <limits>

#include "tests/support/catch.hpp"
#include "tests/support/random_cell.hpp"
#include "tests/support/run_cell.hpp"

namespace rnnc::test {
namespace {

constexpr double kOneStep = 1e-6;
constexpr double kThousandSteps = 5e-6;

void check_standard(const std::string& name, std::int64_t input_size, std::int64_t hidden_size,
                    const std::string& cpu) {
  const ir::Cell cell = standard(name, input_size, hidden_size);
  const Weights weights = random_weights(cell, 1);
  const Program program = compile_cell(cell, weights, cpu);
  for (const std::int64_t batch : {1, 2, 7}) {
    INFO(name << " I=" << input_size << " H=" << hidden_size << " B=" << batch << " " << cpu);
    const Sequences one = random_sequences(cell, 1, batch, 2);
    CHECK(error_against_interpreter(cell, weights, one, run(program, one)) <= kOneStep);
  }
  const Sequences many = random_sequences(cell, 1000, 1, 3);
  CHECK(error_against_interpreter(cell, weights, many, run(program, many)) <= kThousandSteps);
}

void check_random(std::uint64_t from, std::uint64_t to) {
  const auto all = executors();
  for (std::uint64_t seed = from; seed < to; ++seed) {
    const RandomCell random = random_cell(seed);
    const std::string& cpu = all[seed % all.size()];
    INFO("seed " << seed << " " << cpu);
    const Program program = compile_cell(random.cell, random.weights, cpu);
    const Sequences one = random_sequences(random.cell, 1, 1 + static_cast<std::int64_t>(seed % 9), seed);
    CHECK(error_against_interpreter(random.cell, random.weights, one, run(program, one)) <= kOneStep);
    const Sequences many = random_sequences(random.cell, seed % 50 == 0 ? 1000 : 20, 1, seed);
    CHECK(error_against_interpreter(random.cell, random.weights, many, run(program, many)) <= kThousandSteps);
  }
}

}  // namespace

TEST_CASE("standard cells match the interpreter on every ISA level", "[differential]") {
  const std::string name = GENERATE(from_range(standard_cell_names()));
  for (const std::string& cpu : executors())
    for (const auto& [input_size, hidden_size] : {std::pair{1, 1}, {3, 17}, {16, 16}, {31, 33}, {2, 5}})
      check_standard(name, input_size, hidden_size, cpu);
}

TEST_CASE("a large cell matches the interpreter over 1000 steps", "[differential]") {
  for (const char* cpu : {"host", "portable host"}) check_standard("lstm", 127, 131, cpu);
}

// Split so that they run side by side.
TEST_CASE("random cells 0 to 125 match the interpreter", "[differential]") { check_random(0, 125); }
TEST_CASE("random cells 125 to 250 match the interpreter", "[differential]") { check_random(125, 250); }
TEST_CASE("random cells 250 to 375 match the interpreter", "[differential]") { check_random(250, 375); }
TEST_CASE("random cells 375 to 500 match the interpreter", "[differential]") { check_random(375, 500); }

TEST_CASE("a NaN in the weights reaches exactly the values that depend on it", "[differential]") {
  const ir::Cell cell = standard("rnn", 5, 19);
  Weights weights = random_weights(cell, 1);
  weights.at("W")[7 * 5 + 2] = std::numeric_limits<float>::quiet_NaN();
  const Program program = compile_cell(cell, weights, "host");
  const Sequences one = random_sequences(cell, 1, 3, 2);
  const Outcome outcome = run(program, one);
  for (std::size_t i = 0; i < outcome.y.size(); ++i) CHECK(std::isnan(outcome.y[i]) == (i % 19 == 7));
  const Sequences two = random_sequences(cell, 2, 1, 2);
  const Outcome later = run(program, two);
  for (const float value : later.states.at("h")) CHECK(std::isnan(value));
}

}  // namespace rnnc::test
