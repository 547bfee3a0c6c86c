// Each row of RNNC_DERIVATIVE is compared with differences of the function, in double precision.
#include <cmath>

#include "compiler/gradient/derivative.hpp"
#include "ir/interpret.hpp"
#include "ir/verify.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"

namespace rnnc::test {
namespace {

using ir::Op;
using ir::Value;

constexpr int kDraws = 300;

// The cell of scalars whose output is the cotangent of operand `which`, and whose inputs are the operands and g.
ir::Cell derivative_cell(const ir::FunctionFacts& facts, std::size_t which) {
  ir::Cell cell;
  cell.name = "derivative";
  std::vector<Value> operands;
  for (int i = 0; i < facts.arity; ++i)
    operands.push_back(cell.append({.op = Op::Input, .name = "x" + std::to_string(i), .type = {}}));
  const Value g = cell.append({.op = Op::Input, .name = "g", .type = {}});
  const Value y = cell.map(facts.function, operands);
  const std::optional<Value> d = compiler::pull_back(cell, y, g, which);
  cell.statements.push_back({ir::Statement::Kind::Output, "", d ? *d : cell.constant(0), {}});
  ir::verify(cell).value();
  return cell;
}

double interpret_step(const ir::Cell& cell, const std::vector<double>& inputs) {
  ir::NamedVectors states;
  return ir::interpret(cell, {}, {1, 1, inputs, {}}, states)[0];
}

}  // namespace

TEST_CASE("the derivative of every function is that of differences", "[gradient]") {
  for (const ir::FunctionFacts& facts : ir::kAllFunctions) {
    for (std::size_t which = 0; which < static_cast<std::size_t>(facts.arity); ++which) {
      const ir::Cell cell = derivative_cell(facts, which);
      Random random(which);
      int checked = 0;
      for (int draw = 0; draw < kDraws; ++draw) {
        std::vector<double> at;
        for (int i = 0; i < facts.arity; ++i) {
          // Large operands would leave nothing but the tails.
          const float low = std::max(facts.low, -6.0F), high = std::min(facts.high, 6.0F);
          at.push_back(random.uniform(low, high));
        }
        const double h = 1e-4 * std::max(1.0, std::fabs(at[which]));
        const auto f = [&](double step) {
          std::vector<double> moved = at;
          moved[which] += step;
          return ir::evaluate(facts.function, moved.data());
        };
        const auto central = [&](double step) { return (f(step) - f(-step)) / (2 * step); };
        const double wide = (4 * central(h / 2) - central(h)) / 3, narrow = (4 * central(h / 4) - central(h / 2)) / 3;
        const double right = (f(h) - f(0)) / h, left = (f(0) - f(-h)) / h;
        const double scale = std::max(1.0, std::fabs(narrow));
        const bool is_smooth = std::fabs(wide - narrow) < 1e-8 * scale && std::fabs(right - left) < 0.05 * scale;
        if (!is_smooth) continue;  // a kink or jump, or beyond the domain
        ++checked;
        const double g = random.uniform(-2, 2);
        std::vector<double> inputs = at;
        inputs.push_back(g);
        INFO(facts.name << " of operand " << which << " at " << at[0]);
        CHECK(interpret_step(cell, inputs) == Approx(g * narrow).epsilon(2e-8).margin(2e-8));
      }
      INFO(facts.name);
      CHECK(checked > kDraws / 4);
    }
  }
}

TEST_CASE("derivatives at kinks are those of torch", "[gradient]") {
  // torch 1.13 and 2.6 give these: x.grad of f(x).sum().backward().
  const auto derivative = [](ir::Function function, std::vector<double> operands, std::size_t which = 0) {
    operands.push_back(1);
    return interpret_step(derivative_cell(ir::facts(function), which), operands);
  };
  CHECK(derivative(ir::Function::Relu, {0}) == 0);
  CHECK(derivative(ir::Function::Abs, {0}) == 0);
  CHECK(derivative(ir::Function::LeakyRelu, {0, 0.25}) == 0.25);
  CHECK(derivative(ir::Function::Elu, {0, 0.5}) == 0.5);
  CHECK(derivative(ir::Function::Max, {1, 1}) == 0.5);
  CHECK(derivative(ir::Function::Min, {1, 1}, 1) == 0.5);
  CHECK(derivative(ir::Function::Clip, {1, 1, 2}) == 1);
  CHECK(derivative(ir::Function::Clip, {2, 1, 2}) == 1);
  CHECK(derivative(ir::Function::ThresholdedRelu, {1, 1}) == 0);
  CHECK(derivative(ir::Function::HardSigmoid, {-3, 1 / 6.0F, 0.5}) == 0);
}

}  // namespace rnnc::test
