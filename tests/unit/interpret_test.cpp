// These tests compare the interpreter with numbers that were worked out by hand or with plain C++, never with itself.
#include "ir/interpret.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ir/parse.hpp"
#include "ir/verify.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/interpret_step.hpp"

using namespace rnnc;
using ir::Function;
using ir::Reduction;
using ir::Vector;
using test::Environment;
using test::interpret_step;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double at(Function function, std::vector<double> operands) {
  REQUIRE(static_cast<int>(operands.size()) == ir::facts(function).arity);
  return ir::evaluate(function, operands.data());
}

bool close(double value, double expected) {
  if (std::isnan(expected)) return std::isnan(value);
  if (value == expected) return std::signbit(value) == std::signbit(expected);
  return std::fabs(value - expected) <= 1e-14 * std::fabs(expected);
}

ir::Cell parse_cell(const std::string& text, const ir::DimBindings& dims = {}) {
  const Result<ir::Module> module = ir::parse(text);
  if (!module) FAIL(module.error().to_string());
  return ir::bind_dims(module->cells.at(0), dims).value();
}

double logistic(double v) { return 1 / (1 + std::exp(-v)); }

}  // namespace

// Values to 17 digits of an arbitrary-precision calculator.
TEST_CASE("functions have their known values") {
  struct Row {
    Function function;
    std::vector<double> operands;
    double expected;
  };
  const Row rows[] = {
      {Function::Add, {1.5, -2}, -0.5},
      {Function::Sub, {1.5, -2}, 3.5},
      {Function::Mul, {1.5, -2}, -3},
      {Function::Div, {3, -2}, -1.5},
      {Function::Div, {1, -0.0}, -kInf},
      {Function::Div, {0, 0}, kNan},
      {Function::Neg, {0}, -0.0},
      {Function::Sigmoid, {0}, 0.5},
      {Function::Sigmoid, {1}, 0.73105857863000488},
      {Function::Sigmoid, {-1}, 0.26894142136999512},
      {Function::Sigmoid, {-100}, 3.7200759760208359e-44},
      {Function::Sigmoid, {kInf}, 1},
      {Function::Sigmoid, {-kInf}, 0},
      {Function::Tanh, {1}, 0.76159415595576489},
      {Function::Tanh, {-0.0}, -0.0},
      {Function::Tanh, {-kInf}, -1},
      {Function::Relu, {2}, 2},
      {Function::Relu, {-2}, 0},
      {Function::Relu, {-0.0}, -0.0},
      {Function::Relu, {-kInf}, 0},
      {Function::Exp, {1}, 2.7182818284590452},
      {Function::Exp, {-kInf}, 0},
      {Function::Log, {10}, 2.3025850929940457},
      {Function::Log, {-0.0}, -kInf},
      {Function::Log, {-1}, kNan},
      {Function::Sqrt, {2}, 1.4142135623730951},
      {Function::Sqrt, {-0.0}, -0.0},
      {Function::Sqrt, {-1}, kNan},
      {Function::Rsqrt, {4}, 0.5},
      {Function::Rsqrt, {0}, kInf},
      {Function::Rsqrt, {kInf}, 0},
      {Function::Abs, {-0.0}, 0},
      {Function::Abs, {-kInf}, kInf},
      {Function::Min, {-1, 2}, -1},
      {Function::Max, {-1, 2}, 2},
      {Function::Erf, {0.5}, 0.52049987781304654},
      {Function::Erf, {-kInf}, -1},
      {Function::Softplus, {0}, 0.69314718055994531},
      {Function::Softplus, {1}, 1.3132616875182228},
      {Function::Softplus, {-50}, 1.9287498479639178e-22},
      {Function::Softplus, {1000}, 1000},
      {Function::Softplus, {-kInf}, 0},
      {Function::Softplus, {kInf}, kInf},
      {Function::Softsign, {-3}, -0.75},
      {Function::Silu, {1}, 0.73105857863000488},
      {Function::Silu, {-2}, -0.23840584404423511},
      {Function::Silu, {kInf}, kInf},
      {Function::Gelu, {1}, 0.84134474606854295},
      {Function::Gelu, {-1}, -0.15865525393145705},
      {Function::Gelu, {-10}, -7.6198530241605261e-23},
      {Function::Elu, {2, 0.5}, 2},
      {Function::Elu, {-1, 0.5}, -0.31606027941427884},
      {Function::Elu, {-1e-20, 1}, -1e-20},
      {Function::Elu, {-kInf, 0.5}, -0.5},
      {Function::LeakyRelu, {2, 0.25}, 2},
      {Function::LeakyRelu, {-2, 0.25}, -0.5},
      {Function::ThresholdedRelu, {1, 1}, 0},
      {Function::ThresholdedRelu, {1.5, 1}, 1.5},
      {Function::ThresholdedRelu, {-3, -4}, -3},
      {Function::ScaledTanh, {2, 3, 0.5}, 2.2847824678672947},
      {Function::Affine, {3, 2, -1}, 5},
      {Function::HardSigmoid, {1, 0.25, 0.5}, 0.75},
      {Function::HardSigmoid, {9, 0.25, 0.5}, 1},
      {Function::HardSigmoid, {-9, 0.25, 0.5}, 0},
      {Function::HardSigmoid, {kInf, 0, 0.5}, kNan},
      {Function::Clip, {-3, -1, 2}, -1},
      {Function::Clip, {3, -1, 2}, 2},
      {Function::Clip, {0.5, -1, 2}, 0.5},
      {Function::Clip, {0, 2, 1}, 1},  // low above high: high
      {Function::Select, {2, 1, 10, 20}, 10},
      {Function::Select, {1, 1, 10, 20}, 20},
      {Function::Select, {kNan, 1, 10, 20}, 20},
      {Function::Select, {1, kNan, 10, 20}, 20},
      {Function::Select, {2, 1, 10, kNan}, 10},
      {Function::Select, {1, 2, 10, kNan}, kNan},
      {Function::SigmoidMul, {0, 3}, 1.5},
      {Function::SigmoidMul, {kInf, 3}, 3},
      {Function::SigmoidSigmoid, {0, 0}, 0.25},
      {Function::SigmoidTanh, {0, kInf}, 0.5},
      {Function::TanhTanh, {kInf, -kInf}, -1},
  };
  for (const Row& row : rows) {
    const double value = at(row.function, row.operands);
    INFO(ir::facts(row.function).name << " of " << row.operands[0] << ": " << value << ", not " << row.expected);
    CHECK(close(value, row.expected));
  }
  for (const ir::FunctionFacts& facts : ir::kAllFunctions) {
    INFO(facts.name);
    CHECK(std::any_of(std::begin(rows), std::end(rows), [&](const Row& r) { return r.function == facts.function; }));
  }
}

TEST_CASE("every function but select gives NaN for a NaN in any operand") {
  for (const ir::FunctionFacts& facts : ir::kAllFunctions) {
    if (facts.function == Function::Select) continue;
    for (const double other : {-1.5, 0.0, 2.0}) {
      for (int i = 0; i < facts.arity; ++i) {
        std::vector<double> operands(static_cast<std::size_t>(facts.arity), other);
        operands[static_cast<std::size_t>(i)] = kNan;
        INFO(facts.name << " operand " << i << " beside " << other);
        CHECK(std::isnan(at(facts.function, operands)));
      }
    }
  }
}

TEST_CASE("affine rounds once") {
  const double x = 1 + 0x1p-30;
  CHECK(at(Function::Affine, {x, x, -(1 + 0x1p-29)}) == 0x1p-60);
}

TEST_CASE("reductions have their known values") {
  const Vector v = {1, -2, 4, 1};
  CHECK(ir::evaluate(Reduction::Sum, {v}) == Vector{4});
  CHECK(ir::evaluate(Reduction::Mean, {v}) == Vector{1});
  CHECK(ir::evaluate(Reduction::Max, {v}) == Vector{4});
  CHECK(ir::evaluate(Reduction::Max, {{-kInf, -kInf}}) == Vector{-kInf});
  CHECK(std::isnan(ir::evaluate(Reduction::Max, {{1, kNan, 2}})[0]));
  CHECK(std::isnan(ir::evaluate(Reduction::Max, {{kNan, 1}})[0]));

  const Vector p = ir::evaluate(Reduction::Softmax, {{0, std::log(3.0), -kInf}});
  CHECK(p[0] == Approx(0.25).epsilon(1e-14));
  CHECK(p[1] == Approx(0.75).epsilon(1e-14));
  CHECK(p[2] == 0);
  CHECK(ir::evaluate(Reduction::Softmax, {{5000, 5000}}) == Vector{0.5, 0.5});
  for (const double e : ir::evaluate(Reduction::Softmax, {{0, kNan}})) CHECK(std::isnan(e));

  // mean 1, variance (9 + 0 + 9 + 0) / 4 = 4.5, with eps 1.75 a deviation of 2.5
  const Vector n = ir::evaluate(Reduction::LayerNorm, {{4, 1, -2, 1}, {1, 2, 10, 1}, {0, 0.5, 1, -1}, {1.75}});
  const Vector expected = {1.2, 0.5, -11, -1};
  for (std::size_t i = 0; i < 4; ++i) CHECK(n[i] == Approx(expected[i]).epsilon(1e-14));
}

TEST_CASE("slices, joins and products of matrices take the elements they name") {
  const ir::Cell cell = parse_cell(R"(
    cell pick {
      input x : f32[4]
      input k : f32
      param W : f32[3, 4]
      param V : f32[1, 2]
      a = W[1:3, 1:3] @ x[2:4]
      b = concat(W[0:1, 2:4], V, W[1:3, 0:2]) @ x[0:2]
      d = W[2:3] @ x
      e = project(x, W, 10, W[0:2], x[0:2])
      output concat(a, b, d, k * x[1:2], e)
    })");
  Environment environment;
  environment.params = {{"W", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}}, {"V", {-1, 1}}};
  environment.inputs = {{"x", {1, 10, 100, 1000}}, {"k", {0.5}}};
  const Vector y = interpret_step(cell, environment);
  CHECK(y == Vector{6 * 100 + 7 * 1000, 10 * 100 + 11 * 1000,  // a
                    3 + 40, -1 + 10, 5 + 60, 9 + 100,          // b
                    12 * 1000 + 11 * 100 + 10 * 10 + 9,        // d
                    5,                                         // k * x[1:2]
                    4321 + 10, 8765 + 10, 13209 + 10, 4321 + 1, 8765 + 10});
}

TEST_CASE("all next values come from the old states, and a primed name reads the new one") {
  const ir::Cell cell = parse_cell(R"(
    cell swap {
      input x : f32
      state a, b : f32
      state d : f32[2]
      a' = b
      b' = a + x
      d' = d + 1
      output concat(d, d') * b' - a
    })");
  Environment environment{{}, {{"x", {0.5}}}, {{"a", {1}}, {"b", {2}}, {"d", {3, 4}}}};
  CHECK(interpret_step(cell, environment) == Vector{3 * 1.5 - 1, 4 * 1.5 - 1, 4 * 1.5 - 1, 5 * 1.5 - 1});
  CHECK(environment.states == ir::NamedVectors{{"a", {2}}, {"b", {1.5}}, {"d", {4, 5}}});
}

TEST_CASE("states that only change places do so at once") {
  const ir::Cell cell = parse_cell("cell c { input x : f32 state a, b : f32 a' = b b' = a output a' - b' + 0 * x }");
  Environment environment{{}, {{"x", {0}}}, {{"a", {1}}, {"b", {5}}}};
  CHECK(interpret_step(cell, environment) == Vector{4});
  CHECK(environment.states == ir::NamedVectors{{"a", {5}}, {"b", {1}}});
}

TEST_CASE("one step of an LSTM of two units is what its equations give") {
  const ir::Cell cell = parse_cell(R"(
    cell lstm<I, H> {
      input x : f32[I]
      state h, c : f32[H]
      param W : f32[4*H, I]
      param U : f32[4*H, H]
      param b : f32[4*H]
      s = W @ x + U @ h + b
      c' = sigmoid(s[H:2*H]) * c + sigmoid(s[0:H]) * tanh(s[2*H:3*H])
      h' = sigmoid(s[3*H:4*H]) * tanh(c')
      output h'
    })",
                                   {{"I", 1}, {"H", 2}});
  const double x = 0.3, h[] = {0.1, -0.4}, c[] = {0.7, -0.2};
  const double W[] = {0.5, -0.25, 1, 0.75, -1, 0.125, 0.25, -0.5};
  const double U[][2] = {{1, 0.5}, {-0.5, 0.25}, {0.75, 1}, {0.5, -1}, {0.25, 0.5}, {-1, 1}, {1, 1}, {-0.25, 0.5}};
  const double b[] = {0.1, -0.1, 1, 1, 0, 0.2, -0.3, 0.4};
  double s[8];
  for (int j = 0; j < 8; ++j) s[j] = W[j] * x + U[j][0] * h[0] + U[j][1] * h[1] + b[j];

  Environment environment;
  environment.inputs = {{"x", {x}}};
  environment.states = {{"h", {h[0], h[1]}}, {"c", {c[0], c[1]}}};
  environment.params = {{"W", Vector(W, W + 8)}, {"U", Vector(U[0], U[0] + 16)}, {"b", Vector(b, b + 8)}};
  const Vector y = interpret_step(cell, environment);
  REQUIRE(y.size() == 2);
  for (int j = 0; j < 2; ++j) {
    const double c_next = logistic(s[2 + j]) * c[j] + logistic(s[j]) * std::tanh(s[4 + j]);
    const double h_next = logistic(s[6 + j]) * std::tanh(c_next);
    CHECK(environment.states["c"][j] == Approx(c_next).epsilon(1e-14));
    CHECK(environment.states["h"][j] == Approx(h_next).epsilon(1e-14));
    CHECK(y[j] == environment.states["h"][j]);
  }
}

TEST_CASE("one step of a GRU of two units is what its equations give") {
  const ir::Cell cell = parse_cell(R"(
    cell gru {
      input x : f32[1]
      state h : f32[2]
      param Wr, Wz, Wn : f32[2, 1]
      param Ur, Uz, Un : f32[2, 2]
      param bn, bun : f32[2]
      r = sigmoid(Wr @ x + Ur @ h)
      z = sigmoid(Wz @ x + Uz @ h)
      n = tanh(Wn @ x + bn + r * (Un @ h + bun))
      h' = (1 - z) * n + z * h
      output h'
    })");
  const double x = -0.6, h0 = 0.25, h1 = -0.5;
  Environment environment;
  environment.inputs = {{"x", {x}}};
  environment.states = {{"h", {h0, h1}}};
  environment.params = {{"Wr", {1, 2}},           {"Wz", {-1, 0.5}},       {"Wn", {0.3, -0.7}}, {"Ur", {1, 0, 0.5, -1}},
                        {"Uz", {0.25, 1, -1, 2}}, {"Un", {1, -2, 0.5, 1}}, {"bn", {0.1, -0.1}}, {"bun", {0.2, 0.3}}};
  const Vector y = interpret_step(cell, environment);
  const double r0 = logistic(x + h0), r1 = logistic(2 * x + 0.5 * h0 - h1);
  const double z0 = logistic(-x + 0.25 * h0 + h1), z1 = logistic(0.5 * x - h0 + 2 * h1);
  const double n0 = std::tanh(0.3 * x + 0.1 + r0 * (h0 - 2 * h1 + 0.2));
  const double n1 = std::tanh(-0.7 * x - 0.1 + r1 * (0.5 * h0 + h1 + 0.3));
  CHECK(y[0] == Approx((1 - z0) * n0 + z0 * h0).epsilon(1e-14));
  CHECK(y[1] == Approx((1 - z1) * n1 + z1 * h1).epsilon(1e-14));
}

TEST_CASE("literals are f32 values") {
  Environment environment{{}, {{"x", {1}}}, {}};
  CHECK(interpret_step(parse_cell("cell c { input x : f32 output x * 0.1 }"), environment) ==
        Vector{static_cast<double>(0.1f)});
}

// The output is the sum after this step, and a multiple of the sum before it.
static const char kSums[] = R"(
  cell sums {
    input x : f32[2]
    input k : f32
    state s : f32[2]
    s' = s + x
    output concat(s', k * s)
  })";

TEST_CASE("sequences of a batch are laid out [T, B] and run side by side") {
  const ir::Cell cell = parse_cell(kSums);
  // Two steps of two sequences; each row is x[0] x[1] k.
  const ir::Batch batch{2, 2, {1, 2, 10, /**/ 5, 6, 100, /**/ 3, 4, 20, /**/ 7, 8, 200}, {}};
  ir::NamedVectors states;

  SECTION("from zero") {
    CHECK(ir::interpret(cell, {}, batch, states) == Vector{1, 2, 0, 0, /**/ 5, 6, 0, 0,  //
                                                           4, 6, 20, 40, /**/ 12, 14, 1000, 1200});
    CHECK(states == ir::NamedVectors{{"s", {4, 6, 12, 14}}});
  }
  SECTION("from given states, which go on") {
    states = {{"s", {1, 0, 0, -1}}};
    CHECK(ir::interpret(cell, {}, batch, states) == Vector{2, 2, 10, 0, /**/ 5, 5, 0, -100,  //
                                                           5, 6, 40, 40, /**/ 12, 13, 1000, 1000});
    CHECK(states == ir::NamedVectors{{"s", {5, 6, 12, 13}}});
  }
  SECTION("each over its own length") {
    ir::Batch shorter = batch;
    shorter.lengths = {2, 1};
    CHECK(ir::interpret(cell, {}, shorter, states) == Vector{1, 2, 0, 0, /**/ 5, 6, 0, 0,  //
                                                             4, 6, 20, 40, /**/ 0, 0, 0, 0});
    CHECK(states == ir::NamedVectors{{"s", {4, 6, 5, 6}}});
  }
  SECTION("none of them") {
    CHECK(ir::interpret(cell, {}, {0, 2, {}, {}}, states).empty());
    CHECK(states == ir::NamedVectors{{"s", {0, 0, 0, 0}}});
    CHECK(ir::interpret(cell, {}, {5, 0, {}, {}}, states = {}).empty());
  }
}
