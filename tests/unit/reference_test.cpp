// A Reference against formulas that are written out here, in double precision.
#include <rnnc/reference.hpp>

#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "tests/support/catch.hpp"

namespace rnnc::test {
namespace {

constexpr const char* kSlow =
    "cell slow { input x : f32  state h : f32  param a, b : f32  h' = tanh(a * h + b * x)  output h' }";

Tensor double_tensor(double value) {
  Tensor tensor{ElementType::F64, {}, std::vector<std::byte>(sizeof value)};
  std::memcpy(tensor.bytes.data(), &value, sizeof value);
  return tensor;
}

Reference slow(double a, double b, std::int64_t batch = 1) {
  TensorMap weights;
  weights["a"] = double_tensor(a), weights["b"] = double_tensor(b);
  return Reference::make(parse(kSlow).value(), weights, {.batch = batch}).value();
}

// The sum of outputs y[t] * w[t] and of the last state, of one sequence.
double sum_of(double a, double b, double h, std::span<const double> x, std::span<const double> w) {
  double sum = 0;
  for (std::size_t t = 0; t < x.size(); ++t) {
    h = std::tanh(a * h + b * x[t]);
    sum += h * w[t];
  }
  return sum + h;
}

template <class F>
double slope(const F& f, double at) {
  const double step = 1e-5;
  return (f(at + step) - f(at - step)) / (2 * step);
}

}  // namespace

TEST_CASE("A reference computes values and gradients in double precision", "[reference]") {
  const double a = 1.0 / 3, b = 0.7, h = 0.25;
  const std::array<double, 3> x{0.1, -0.9, 0.6}, w{1, -2, 0.5};
  Reference reference = slow(a, b);
  std::array<double, 3> y{}, dx{};
  const std::array<double, 1> first{h}, one{1};
  REQUIRE(reference.set_state("h", first));
  REQUIRE(reference.forward({.x = x, .y = y, .steps = 3}));
  double state = h;
  for (std::size_t t = 0; t < 3; ++t) {
    state = std::tanh(a * state + b * x[t]);
    CHECK(std::fabs(y[t] - state) <= 1e-16);
  }
  CHECK(reference.state("h").value()[0] == y[2]);
  REQUIRE(reference.set_state_gradient("h", one));
  REQUIRE(reference.backward({.dy = w, .dx = dx}));
  CHECK(std::fabs(reference.gradient("a")[0] - slope([&](double v) { return sum_of(v, b, h, x, w); }, a)) <= 1e-9);
  CHECK(std::fabs(reference.gradient("b")[0] - slope([&](double v) { return sum_of(a, v, h, x, w); }, b)) <= 1e-9);
  CHECK(std::fabs(reference.state_gradient("h").value()[0] -
                  slope([&](double v) { return sum_of(a, b, v, x, w); }, h)) <= 1e-9);
  for (std::size_t t = 0; t < 3; ++t) {
    const auto moved = [&](double v) {
      auto other = x;
      other[t] = v;
      return sum_of(a, b, h, other, w);
    };
    CHECK(std::fabs(dx[t] - slope(moved, x[t])) <= 1e-9);
  }
}

TEST_CASE("A reference adds up the gradients of several backward passes of one forward pass", "[reference]") {
  Reference reference = slow(0.5, 0.5);
  const std::array<double, 2> x{1, 2}, dy{1, 1};
  std::array<double, 2> y{};
  REQUIRE(reference.forward({.x = x, .y = y, .steps = 2}));
  REQUIRE(reference.backward({.dy = dy}));
  const double once = reference.gradient("a")[0];
  REQUIRE(reference.backward({.dy = dy}));
  CHECK(reference.gradient("a")[0] == 2 * once);
  reference.clear_gradients();
  CHECK(reference.gradient("a")[0] == 0);
}

TEST_CASE("A reference ends each sequence at its length and goes on with states", "[reference]") {
  Reference reference = slow(0.5, 0.5, 2);
  const std::array<double, 4> x{1, 2, 3, 4}, dy{1, 1, 1, 1};
  std::array<double, 4> y{}, dx{};
  const std::array<std::int32_t, 2> lengths{2, 1};
  REQUIRE(reference.forward({.x = x, .y = y, .steps = 2, .lengths = lengths}));
  CHECK(y[3] == 0);
  CHECK(reference.state("h").value()[1] == y[1]);
  REQUIRE(reference.backward({.dy = dy, .dx = dx}));
  CHECK(dx[3] == 0);
  CHECK(dx[1] != 0);
  const std::array<double, 2> next{0, 0};
  std::array<double, 2> later{};
  REQUIRE(reference.forward({.x = next, .y = later, .steps = 1}));
  CHECK(std::fabs(later[0] - std::tanh(0.5 * y[2])) <= 1e-16);
  reference.reset();
  REQUIRE(reference.forward({.x = next, .y = later, .steps = 1}));
  CHECK(later[0] == 0);
}

TEST_CASE("A reference takes changed weights at once", "[reference]") {
  Reference reference = slow(0.5, 0.5);
  reference.weight("b")[0] = 2;
  const std::array<double, 1> x{1};
  std::array<double, 1> y{};
  REQUIRE(reference.forward({.x = x, .y = y, .steps = 1}));
  CHECK(std::fabs(y[0] - std::tanh(2.0)) <= 1e-16);
  CHECK(reference.weight("unknown").empty());
}

TEST_CASE("A reference refuses in words what it cannot compute", "[reference]") {
  Reference reference = slow(0.5, 0.5);
  const std::array<double, 1> x{1};
  std::array<double, 2> y{};
  const std::array<std::int32_t, 1> lengths{3};
  CHECK(reference.backward({}).error().message == text(RunStatus::NoForward));
  CHECK(reference.forward({.x = x, .y = y, .steps = 2}).error().message == "x has 1 elements, and the call needs 2");
  CHECK(reference.forward({.x = x, .y = y, .steps = -1}).error().code == ErrorCode::Usage);
  CHECK(reference.forward({.x = x, .y = y, .steps = 1, .lengths = lengths}).error().code == ErrorCode::Usage);
  CHECK(reference.forward({.x = x, .y = {}, .steps = 1}).error().code == ErrorCode::ShapeMismatch);
  CHECK(reference.set_state("g", x).error().message == "there is no state 'g'; there are h");
  CHECK(reference.set_state("h", y).error().code == ErrorCode::ShapeMismatch);
  REQUIRE(reference.forward({.x = x, .y = y, .steps = 1}));
  CHECK(reference.backward({}).ok());
  const Model times = parse("network n { input x : seq<S> f32[2]\n output x }").value();
  CHECK(Reference::make(times, {}).error().code == ErrorCode::Unsupported);
  const Model fixed = parse("network n { input x : seq f32[2]\n input v : f32[2]\n output x + v }").value();
  CHECK(Reference::make(fixed, {}).error().message.find("inputs are sequences, and v is none") != std::string::npos);
  CHECK(Reference::make(parse(kSlow).value(), {}).error().code == ErrorCode::InvalidData);
  TensorMap weights;
  weights["a"] = double_tensor(1), weights["b"] = double_tensor(1);
  CHECK(Reference::make(parse(kSlow).value(), weights, {.batch = -1}).error().code == ErrorCode::Usage);
}

}  // namespace rnnc::test
