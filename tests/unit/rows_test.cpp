// These tests compare rows in the interpreter with plain loops, and look at what the passes make of them.
#include <algorithm>
#include <cmath>

#include <rnnc/compile.hpp>

#include "compiler/passes/pass.hpp"
#include "ir/parse.hpp"
#include "ir/print.hpp"
#include "ir/verify.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/interpret_step.hpp"

namespace rnnc::test {
namespace {

using ir::Vector;

constexpr const char* kInputs =
    "cell c { input v : f32[12] input s : f32 input w : f32[3] param M : f32[4, 3] param W : f32[2, 3] output ";

ir::Cell cell_of(const std::string& expression) {
  const Result<ir::Module> module = ir::parse(kInputs + expression + " }");
  if (!module) FAIL(module.error().to_string());
  return ir::bind_dims(module->cells.at(0), {}).value();
}

Vector ramp(std::size_t size, double first, double step) {
  Vector values;
  for (std::size_t i = 0; i < size; ++i) values.push_back(first + step * static_cast<double>(i * i % 7));
  return values;
}

const Vector kV = ramp(12, -1, 0.5), kW = ramp(3, 0.25, 1), kM = ramp(12, 2, -0.75), kProduct = ramp(6, -0.5, 0.125);
constexpr double kS = 0.375;

Vector value_of(const ir::Cell& cell) {
  Environment environment{{{"M", kM}, {"W", kProduct}}, {{"v", kV}, {"s", {kS}}, {"w", kW}}, {}};
  return interpret_step(cell, environment);
}

// Element c of row r of rows(v, 4).
double x(std::int64_t r, std::int64_t c) { return kV[static_cast<std::size_t>(3 * r + c)]; }

template <class Element>
Vector table(std::int64_t rows, std::int64_t columns, const Element& element) {
  Vector values;
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) values.push_back(element(r, c));
  return values;
}

struct Case {
  std::string expression;
  Vector expected;
};

std::vector<Case> cases() {
  const auto at = [](const Vector& vector, std::int64_t i) { return vector[static_cast<std::size_t>(i)]; };
  const auto mean = [](std::int64_t r) { return (x(r, 0) + x(r, 1) + x(r, 2)) / 3; };
  return {
      {"flatten(rows(v, 4))", kV},
      {"flatten(rows(v, 4)[1:3])", table(2, 3, [&](auto r, auto c) { return x(r + 1, c); })},
      {"flatten(rows(v, 4)[1:3, 1:2])", table(2, 1, [&](auto r, auto) { return x(r + 1, 1); })},
      {"flatten(rows(v, 4)[:, 1:])", table(4, 2, [&](auto r, auto c) { return x(r, c + 1); })},
      {"flatten(rows(v, 4)[:2, :2])", table(2, 2, [&](auto r, auto c) { return x(r, c); })},
      {"flatten(rows(v, 4) * w + s)", table(4, 3, [&](auto r, auto c) { return x(r, c) * at(kW, c) + kS; })},
      {"flatten(rows(v, 4) - M)", table(4, 3, [&](auto r, auto c) { return x(r, c) - at(kM, 3 * r + c); })},
      {"flatten(rows(v, 4) * rows(v, 4)[:, 2:3])", table(4, 3, [&](auto r, auto c) { return x(r, c) * x(r, 2); })},
      {"flatten(w * rows(w, 3))", table(3, 3, [&](auto r, auto c) { return at(kW, r) * at(kW, c); })},
      {"flatten(W @ rows(v, 4))", table(4, 2,
                                        [&](auto r, auto n) {
                                          double sum = 0;
                                          for (std::int64_t k = 0; k < 3; ++k) sum += at(kProduct, 3 * n + k) * x(r, k);
                                          return sum;
                                        })},
      {"flatten(concat(rows(v, 4)[3:4], M[1:2], rows(v, 4)[0:1]))",
       table(3, 3, [&](auto r, auto c) { return r == 1 ? at(kM, 3 + c) : x(r == 0 ? 3 : 0, c); })},
      {"flatten(beside(rows(v, 4), rows(v, 4)[:, 1:2]))",
       table(4, 4, [&](auto r, auto c) { return x(r, c == 3 ? 1 : c); })},
      {"flatten(windows(v, 5, 3))", table(3, 5, [&](auto r, auto c) { return at(kV, 3 * r + c); })},
      {"flatten(windows(rows(v, 4), 2, 1))", table(3, 6, [&](auto r, auto c) { return x(r + c / 3, c % 3); })},
      {"flatten(windows(rows(v, 4), 2, 3))", table(1, 6, [&](auto r, auto c) { return x(r + c / 3, c % 3); })},
      {"pad(w, 2, 1)", {0, 0, at(kW, 0), at(kW, 1), at(kW, 2), 0}},
      {"flatten(pad(rows(v, 4), 1, 2))", table(7, 3, [&](auto r, auto c) { return r < 1 || r > 4 ? 0 : x(r - 1, c); })},
      {"reflect(w, 2, 1)", {at(kW, 2), at(kW, 1), at(kW, 0), at(kW, 1), at(kW, 2), at(kW, 1)}},
      {"flatten(reflect(rows(v, 4), 1, 3))", table(8, 3,
                                                   [&](auto r, auto c) {
                                                     return x(r == 0 ? 1 : r > 4 ? 7 - r : r - 1, c);
                                                   })},
      {"fill(s, 3)", {kS, kS, kS}},
      {"flatten(sum(rows(v, 4)))", table(4, 1, [&](auto r, auto) { return 3 * mean(r); })},
      {"flatten(rows(v, 4) - mean(rows(v, 4)))", table(4, 3, [&](auto r, auto c) { return x(r, c) - mean(r); })},
      {"flatten(max(rows(v, 4)))", table(4, 1,
                                         [&](auto r, auto) {
                                           return std::max({x(r, 0), x(r, 1), x(r, 2)});
                                         })},
      {"flatten(softmax(rows(v, 4)))", table(4, 3,
                                             [&](auto r, auto c) {
                                               return std::exp(x(r, c)) /
                                                      (std::exp(x(r, 0)) + std::exp(x(r, 1)) + std::exp(x(r, 2)));
                                             })},
      {"flatten(layer_norm(rows(v, 4), w, M, 0.5))",
       table(4, 3,
             [&](auto r, auto c) {
               double squares = 0;
               for (std::int64_t k = 0; k < 3; ++k) squares += (x(r, k) - mean(r)) * (x(r, k) - mean(r));
               return (x(r, c) - mean(r)) / std::sqrt(squares / 3 + 0.5) * at(kW, c) + at(kM, 3 * r + c);
             })},
      {"sum_rows(rows(v, 4))", table(1, 3, [&](auto, auto c) { return x(0, c) + x(1, c) + x(2, c) + x(3, c); })},
      {"mean_rows(rows(v, 4))", table(1, 3, [&](auto, auto c) { return (x(0, c) + x(1, c) + x(2, c) + x(3, c)) / 4; })},
      {"max_rows(rows(v, 4))", table(1, 3,
                                     [&](auto, auto c) {
                                       return std::max({x(0, c), x(1, c), x(2, c), x(3, c)});
                                     })},
  };
}

}  // namespace

TEST_CASE("rows are what plain loops give, before and after they become vectors", "[rows]") {
  for (const Case& one : cases()) {
    INFO(one.expression);
    const ir::Cell cell = cell_of(one.expression);
    const ir::Cell lowered = ir::Cell(compiler::lower_rows(cell));
    REQUIRE(ir::verify(lowered));
    CHECK(std::ranges::none_of(lowered.nodes, [](const ir::Node& node) { return node.type.is_rows; }));
    for (const ir::Cell& each : {cell, lowered}) {
      const Vector value = value_of(each);
      REQUIRE(value.size() == one.expected.size());
      for (std::size_t i = 0; i < value.size(); ++i) CHECK(std::fabs(value[i] - one.expected[i]) <= 1e-14);
    }
  }
}

TEST_CASE("rows are printed as they are read", "[rows]") {
  for (const Case& one : cases()) {
    const ir::Cell cell = cell_of(one.expression);
    const std::string text = ir::print(cell);
    const Result<ir::Module> again = ir::parse(text);
    INFO(text);
    REQUIRE(again);
    CHECK(ir::equal(cell, again->cells.at(0)));
  }
}

TEST_CASE("cells that differ in an op of rows, or in its dims, are not equal", "[rows]") {
  const auto differ = [](const std::string& a, const std::string& b) { return !ir::equal(cell_of(a), cell_of(b)); };
  CHECK(differ("sum_rows(rows(v, 4))", "max_rows(rows(v, 4))"));
  CHECK(differ("pad(w, 1, 1)", "reflect(w, 1, 1)"));
  CHECK(differ("pad(w, 1, 1)", "pad(w, 0, 2)"));
  CHECK(differ("fill(s, 3)", "fill(s, 4)"));
  CHECK_FALSE(differ("fill(s, 3)", "fill(s, 3)"));
}

// The rows at the edges of a padded convolution lack a tap each; they must not pack the others again.
TEST_CASE("the weights of a convolution are packed once", "[rows]") {
  const std::string text =
      "cell c { input x : f32[1024] param W : f32[128, 192] output "
      "flatten(W @ windows(pad(rows(x, 16), 1, 1), 3, 1)) }";
  for (const Backend backend : {Backend::Jit, Backend::Portable}) {
    const Program program =
        compile(parse(text).value(), {{"W", Tensor::from_f32({128, 192}, std::vector<float>(128 * 192))}},
                {.backend = backend})
            .value();
    CHECK(program.weights_bytes() < 128 * 192 * 4 * 11 / 10);
  }
}

TEST_CASE("sizes of rows follow from symbolic dims", "[rows]") {
  const auto type_of = [](const std::string& expression) {
    const Result<ir::Module> module = ir::parse(
        "cell c<N, P> { input v : f32[2*N*P] input w : f32[P] param W : "
        "f32[3, 2*N] y = " +
        expression + " output sum_rows(y) }");
    if (!module) FAIL(module.error().to_string());
    const ir::Cell& cell = module->cells.at(0);
    return cell[cell.statements.at(0).value].type.to_string();
  };
  CHECK(type_of("rows(v, P)") == "f32[P,2*N]");
  CHECK(type_of("rows(v, N*P)") == "f32[N*P,2]");
  CHECK(type_of("W @ rows(v, P)") == "f32[P,3]");
  CHECK(type_of("windows(v, 3, 1)") == "f32[2*N*P-2,3]");
  CHECK(type_of("windows(v, 2, 2)") == "f32[N*P,2]");
  CHECK(type_of("windows(pad(rows(v, P), 1, 1), 3, 1)") == "f32[P,6*N]");
  CHECK(type_of("beside(rows(v, P), rows(w, P))[:, 1:]") == "f32[P,2*N]");
  CHECK(type_of("sum(rows(v, P))") == "f32[P,1]");
}

}  // namespace rnnc::test
