// The interpreter computes with rounded operations: these tests hold how far values move, and that limits stay small
// for the sizes of trained models.
#include <algorithm>
#include <cmath>

#include "ir/parse.hpp"
#include "ir/rounding.hpp"
#include "ir/scan.hpp"
#include "ir/verify.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"
#include "tests/support/run_cell.hpp"

namespace rnnc::test {
namespace {

constexpr double kHalfUlp = 0x1p-24;

ir::Cell bound(const std::string& text) { return ir::bind_dims(ir::parse(text).value().cells.at(0), {}).value(); }

double moved(const ir::Cell& cell, const ir::Vector& x, const ir::Rounding::Pattern& pattern) {
  ir::Rounding rounding(pattern);
  ir::NamedVectors states, exact_states;
  const ir::Batch batch{1, 1, x, {}};
  const ir::Vector exact = ir::interpret(cell, {}, batch, exact_states);
  const ir::Vector rounded = ir::interpret(cell, {}, batch, states, rounding);
  return rounded.at(0) - exact.at(0);
}

}  // namespace

TEST_CASE("a rounding moves each operation by what its row in functions.def allows") {
  const ir::Rounding::Pattern up{ir::Rounding::Kind::Up}, away{ir::Rounding::Kind::Away};
  const auto one = [](const std::string& expression) {
    return bound("cell a { input x : f32[2] output " + expression + " }");
  };
  CHECK(moved(one("x + x"), {1, 1}, up) == Approx(2 * kHalfUlp).epsilon(1e-6));
  CHECK(moved(one("x + x"), {-1, 1}, up) == Approx(2 * kHalfUlp).epsilon(1e-6));
  CHECK(moved(one("x + x"), {-1, 1}, away) == Approx(-2 * kHalfUlp).epsilon(1e-6));
  CHECK(moved(one("x + x + x"), {1, 1}, up) == Approx(5 * kHalfUlp).epsilon(1e-6));
  CHECK(moved(one("x - x + x"), {1, 1}, up) == Approx(kHalfUlp).epsilon(1e-6));
  CHECK(moved(one("tanh(x)"), {1, 1}, up) == Approx(8 * kHalfUlp * std::tanh(1)).epsilon(1e-6));
  CHECK(moved(one("gelu(x)"), {-6, 1}, up) == Approx(1e-7).epsilon(1e-3));  // the floor
  CHECK(moved(one("max(x, 3)"), {1, 1}, up) == 0);
  CHECK(moved(one("concat(x, x)"), {1, 1}, up) == 0);
  CHECK(moved(one("1e-30 * x * 1e-9"), {1, 1}, up) == Approx(-1e-39));  // flushed
  CHECK(std::isinf(moved(one("3e38 * x + 3e38"), {1, 1}, up)));
}

TEST_CASE("patterns differ, and each repeats itself") {
  const ir::Cell cell = bound("cell a { input x : f32[2] output tanh(x) + sigmoid(x) * x - x * x }");
  std::vector<double> all;
  for (const ir::Rounding::Pattern& pattern : ir::rounding_patterns(ir::network_of(cell))) {
    const double first = moved(cell, {0.3, 0.7}, pattern);
    CHECK(first == moved(cell, {0.3, 0.7}, pattern));
    CHECK(std::fabs(first) < 20 * kHalfUlp);
    all.push_back(first);
  }
  std::sort(all.begin(), all.end());
  CHECK(std::unique(all.begin(), all.end()) - all.begin() > 4);
}

TEST_CASE("for cells of trained sizes rounding explains little, so that faults stay visible") {
  for (const std::string name : {"lstm", "gru", "rnn"}) {
    const ir::Cell cell = standard(name, 32, 64);
    const Weights weights = random_weights(cell, 1);
    ir::NamedVectors params;
    for (const auto& [key, values] : weights) params[key] = ir::Vector(values.begin(), values.end());
    const Sequences sequences = random_sequences(cell, 100, 1, 2);
    const ir::Batch batch{100, 1, {sequences.x.begin(), sequences.x.end()}, {}};
    ir::NamedVectors states;
    const ir::Vector exact = ir::interpret(cell, params, batch, states);
    double most = 0;
    for (const ir::Rounding::Pattern& pattern : ir::rounding_patterns(ir::network_of(cell))) {
      ir::Rounding rounding(pattern);
      ir::NamedVectors own;
      const ir::Vector other = ir::interpret(cell, params, batch, own, rounding);
      for (std::size_t i = 0; i < exact.size(); ++i)
        most = std::max(most, pattern.factor * std::fabs(exact[i] - other[i]));
    }
    INFO(name << " " << most);
    CHECK(most > 1e-7);
    CHECK(most < 3e-5);
  }
}

}  // namespace rnnc::test
