// These tests compare generated code and the portable executor with the double-precision interpreter, which shares none
// of their formulas: every element, ugly sizes, every ISA level that this machine runs. Random cells and networks:
// random_cells_test.cpp.
#include <rnnc/model.hpp>

#include <cmath>
#include <limits>

#include "ir/parse.hpp"
#include "ir/verify.hpp"
#include "tests/support/catch.hpp"
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

// The sum, by its partials, has several blocks go together; one product has two gates, which share the vectors of a
// last block that is not full, the other one.
TEST_CASE("a stage of products that share vectors and such that do not matches the interpreter", "[differential]") {
  const char* const text =
      "cell c<H> { input a : f32[2] input x : f32[8] param W : f32[H, 2] param U, V : f32[H, 8] param b : f32[H]"
      " u = U @ x output W @ a + (u - sum(u)) * b + V @ x }";
  for (const std::string& cpu : executors())
    for (const std::int64_t units : {5, 9, 10, 17, 18, 33, 37}) {
      const ir::Cell cell = ir::bind_dims(ir::parse(text).value().cells.at(0), {{"H", units}}).value();
      const Weights weights = random_weights(cell, 1);
      const Program program = compile_cell(cell, weights, cpu);
      for (const std::int64_t batch : {1, 2, 7}) {
        INFO("H=" << units << " B=" << batch << " " << cpu);
        const Sequences sequences = random_sequences(cell, 3, batch, 2);
        CHECK(error_against_interpreter(cell, weights, sequences, run(program, sequences)) <= kOneStep);
      }
    }
}

// A convolution of several kinds, a depthwise one, and what is done over rows and in each row.
TEST_CASE("rows of a step match the interpreter on every ISA level", "[differential][rows]") {
  const char* const text =
      "cell c<H> { input x : f32[40] state h : f32[H] param W : f32[H, 12] param b : f32[H] param V : f32[H, 3*H]"
      " param D : f32[3, H] param U : f32[H, H] a = relu(W @ windows(pad(rows(x, 10), 1, 1), 3, 1) + b)"
      " c = tanh(V @ windows(reflect(a, 0, 1), 3, 2)) d = softmax(c - mean(c)) * h + sum(c)"
      " e = layer_norm(concat(d[0:1], a[3:5]), b, D[0:3], 0.001)"
      " h' = tanh(mean_rows(beside(d, d[:, 0:1])[:, 1:]) + U @ h + sum_rows(D * a[0:3]) + max_rows(e))"
      " output concat(flatten(d), h', fill(sum(h), 3), reflect(x, 2, 3), pad(h, 1, 2), flatten(sum(a))) }";
  for (const std::string& cpu : executors())
    for (const std::int64_t units : {1, 7, 17, 33}) {
      const ir::Cell cell = ir::bind_dims(ir::parse(text).value().cells.at(0), {{"H", units}}).value();
      const Weights weights = random_weights(cell, 1);
      const Program program = compile_cell(cell, weights, cpu);
      for (const std::int64_t batch : {1, 2, 7}) {
        INFO("H=" << units << " B=" << batch << " " << cpu);
        const Sequences sequences = random_sequences(cell, 3, batch, 2);
        CHECK(error_against_interpreter(cell, weights, sequences, run(program, sequences)) <= 5e-6);
      }
    }
}

// Lanes behind the end of a vector hold zeros, whose quotients are NaN.
TEST_CASE("reductions of quotients have the lanes of their vectors alone", "[differential]") {
  for (const std::int64_t units : {1, 2, 3, 4, 5, 7, 17, 19, 33}) {
    const std::string n = std::to_string(units);
    const ir::Cell cell = ir::parse("cell quotients { input a, b : f32[" + n + "] state s : f32 q = a / b s' = sum(q)" +
                                    " output concat(q, fill(s', 1), fill(max(q), 1), fill(mean(a / b * a), 1)) }")
                              .value()
                              .cells.at(0);
    for (const std::int64_t batch : {1, 7}) {
      Sequences sequences = random_sequences(cell, 3, batch, 2);
      for (std::int64_t row = 0; row < 3 * batch; ++row)
        for (std::int64_t i = 0; i < units; ++i)
          sequences.x[static_cast<std::size_t>(row * 2 * units + units + i)] += 2.0F;
      for (const std::string& cpu : executors()) {
        INFO(n << " units, B=" << batch << " " << cpu);
        const Program program = compile_cell(cell, {}, cpu);
        CHECK(error_against_interpreter(cell, {}, sequences, run(program, sequences)) <= kOneStep);
      }
    }
  }
}

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
