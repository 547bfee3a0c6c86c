// The intervals of values hold at every step, and are those that a scale of integers may rely on.
#include "compiler/passes/ranges.hpp"

#include "compiler/passes/pass.hpp"
#include "ir/parse.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_cell.hpp"

namespace rnnc::test {
namespace {

using compiler::Interval;

const double kInfinity = std::numeric_limits<double>::infinity();

ir::Cell cell_of(const std::string& body) {
  return ir::parse("cell c { input x : f32[4] state h : f32[4] param W : f32[4, 4] param b : f32[4] " + body +
                   " output h' }")
      .value()
      .cells.at(0);
}

// The interval of the next value of h.
Interval next_of(const std::string& expression) {
  const ir::Cell cell = compiler::run_passes(cell_of("h' = " + expression), "chain");
  return compiler::ranges_of(cell)[cell.next_of("h").index];
}

// The interval holds all of another one, and little more: what rounding adds.
bool is_near(const Interval& interval, const Interval& exact) {
  constexpr double kMore = 1e-5;
  return interval.low <= exact.low && interval.low >= exact.low - kMore && interval.high >= exact.high &&
         interval.high <= exact.high + kMore;
}

}  // namespace

TEST_CASE("functions with a bound have it for any operand", "[ranges]") {
  CHECK(is_near(next_of("tanh(W @ h + x)"), Interval{-1, 1}));
  CHECK(is_near(next_of("sigmoid(x)"), Interval{0, 1}));
  CHECK(is_near(next_of("sigmoid(x) * tanh(x + 1)"), Interval{-1, 1}));
  CHECK(is_near(next_of("hard_sigmoid(x, 0.2, 0.5)"), Interval{0, 1}));
  CHECK(is_near(next_of("clip(x, -2, 3)"), Interval{-2, 3}));
  CHECK(is_near(next_of("min(max(x, -2), 3)"), Interval{-2, 3}));
  CHECK(is_near(next_of("0.5 * softsign(x)"), Interval{-0.5, 0.5}));
  CHECK(is_near(next_of("erf(x) - 1"), Interval{-2, 0}));
  CHECK(is_near(next_of("-softmax(x)"), Interval{-1, 0}));
  CHECK(is_near(next_of("fill(sum(tanh(x)), 4)"), Interval{-4, 4}));
  CHECK(is_near(next_of("fill(mean(tanh(x)), 4)"), Interval{-1, 1}));
  CHECK(is_near(next_of("abs(tanh(x))"), Interval{0, 1}));
  CHECK(is_near(next_of("select(x > 0, tanh(x), 3)"), Interval{-1, 3}));
  CHECK(is_near(next_of("scaled_tanh(x, 1.5, 0.3)"), Interval{-1.5, 1.5}));
  CHECK(is_near(next_of("1 / (1 + sigmoid(x))"), Interval{0.5, 1}));
}

TEST_CASE("sums of large numbers that cancel keep what rounding leaves", "[ranges]") {
  CHECK(next_of("(clip(x, -0.3, 0.3) + 1e6) - 1e6").bound() == 0.3125);  // a multiple of a sixteenth
  CHECK(next_of("(tanh(x) * 3.5 + 12582912) - 12582912").bound() == 4);
}

TEST_CASE("a state that grows slowly has no bound", "[ranges]") {
  for (const char* expression : {"h + 1e-4 * tanh(x)", "1.00001 * h", "h + 1e-6 * sigmoid(x)"}) {
    INFO(expression);
    CHECK(next_of(expression).bound() == kInfinity);
  }
  CHECK(next_of("0.9 * h + 0.1 * tanh(x)").bound() <= 1.0001);
  CHECK(next_of("h + 1e-4 * (tanh(x) - h)") == Interval{-1, 1});
}

TEST_CASE("values without a bound have none", "[ranges]") {
  for (const char* expression : {"x", "W @ tanh(x)", "relu(h + 1)", "h + tanh(x)", "1 / tanh(x)", "b", "exp(x)",
                                 "sum(tanh(x)) * b", "x / sum(x)", "2 * h + tanh(x)"}) {
    INFO(expression);
    CHECK(next_of(expression).bound() == kInfinity);
  }
}

TEST_CASE("a mixture of two values lies between them, however it is written", "[ranges]") {
  for (const char* mixture :
       {"(1 - sigmoid(x)) * tanh(x) + sigmoid(x) * h", "sigmoid(x) * h + tanh(x) * (1 - sigmoid(x))",
        "h + sigmoid(x) * (tanh(x) - h)", "sigmoid(x) * (h - tanh(x)) + tanh(x)"}) {
    INFO(mixture);
    CHECK(is_near(next_of(mixture), Interval{-1, 1}));
  }
  CHECK(next_of("(1 - sigmoid(x)) * tanh(x) + sigmoid(b) * h").bound() == kInfinity);  // not the same share
  CHECK(next_of("(2 - sigmoid(x)) * tanh(x) + sigmoid(x) * h").bound() == kInfinity);
  CHECK(next_of("(1 - x) * tanh(x) + x * h").bound() == kInfinity);  // no share
}

TEST_CASE("a state that shrinks by more than is added is bounded, and another one through it", "[ranges]") {
  CHECK(next_of("tanh(x) * 0.5 + tanh(h)").bound() <= 1.5);
  const ir::Cell cell = ir::parse(
                            "cell c { input x : f32[4] state h, g, c : f32[4] "
                            "c' = c + x h' = tanh(c') g' = h' - h output g' }")
                            .value()
                            .cells.at(0);
  const auto ranges = compiler::ranges_of(cell);
  CHECK(ranges[cell.next_of("h").index] == Interval{-1, 1});
  CHECK(is_near(ranges[cell.next_of("g").index], {-2, 2}));
  CHECK(ranges[cell.next_of("c").index].bound() == kInfinity);
}

TEST_CASE("the states of standard cells that products read have the bounds that are known of them", "[ranges]") {
  const auto bounds_of = [](const std::string& name) {
    return compiler::bounds_of_states(
        compiler::run_passes(standard(name, 6, 8), "quantize", {}, compiler::kPasses, runtime::NumberFormat::W8));
  };
  for (const char* name : {"lstm", "gru", "rnn"}) {
    const std::map<std::string, Interval> bounds = bounds_of(name);
    REQUIRE(bounds.size() == 1);
    CHECK(is_near(bounds.at("h"), {-1, 1}));
  }
}

}  // namespace rnnc::test
