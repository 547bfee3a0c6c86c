// The generated element-wise functions, all rows of the op table: within the row's bound of the interpreter's value on
// special and random operands, and the same bits for every lane count and every CPU with fused multiply-add. The
// exhaustive measurement is tests/numerics/ulp.cpp.
#include <bit>
#include <cfloat>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "compiler/llvm/resolve_target.hpp"
#include "ir/interpret.hpp"
#include "runtime/portable.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/function_harness.hpp"
#include "tests/support/random.hpp"
#include "tests/support/run_cell.hpp"
#include "tests/support/ulp_error.hpp"

namespace rnnc::test {
namespace {

constexpr std::size_t kSamples = 20'000;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kSpecials[] = {0.f,        -0.f,       kInfinity,   -kInfinity,   kNaN,
                               0x1p-149f,  -0x1p-149f, 0x1.8p-127f, -0x1.8p-127f, 0x1p-126f,
                               -0x1p-126f, FLT_MAX,    -FLT_MAX,    1.f,          -1.f};

struct Operands {
  std::vector<std::vector<float>> columns;
  std::size_t size() const { return columns[0].size(); }

  std::vector<float> apply(const FunctionHarness& f) const {
    std::vector<const float*> pointers;
    for (const auto& column : columns) pointers.push_back(column.data());
    std::vector<float> result(size());
    f(pointers.data(), result.data(), size());
    return result;
  }

  // As a cell whose inputs are the operands, of vectors too short for full registers and of longer ones.
  std::vector<float> apply_portable(ir::Function function, const std::string& cpu) const {
    ir::Cell cell;
    cell.name = "f";
    std::vector<ir::Value> inputs;
    constexpr std::int64_t kElements = 25;
    for (std::size_t k = 0; k < columns.size(); ++k) {
      ir::Node input;
      input.op = ir::Op::Input;
      input.name = "x" + std::to_string(k);
      input.type = {{ir::Dim(kElements)}};
      inputs.push_back(cell.append(std::move(input)));
    }
    cell.statements.push_back({ir::Statement::Kind::Output, "", cell.map(function, inputs), {}});
    const Program program = compile_cell(cell, {}, "portable " + cpu);
    const std::size_t rows = size() / kElements;
    Sequences sequences{static_cast<std::int64_t>(rows), 1, {}, {}};
    for (std::size_t row = 0; row < rows; ++row)
      for (const auto& column : columns) {
        const auto from = column.begin() + static_cast<std::ptrdiff_t>(row * kElements);
        sequences.x.insert(sequences.x.end(), from, from + kElements);
      }
    return run(program, sequences).y;
  }

  double exact(ir::Function function, std::size_t i) const {
    std::vector<double> values;
    for (const auto& column : columns) values.push_back(flushed(column[i]));
    return ir::evaluate(function, values.data());
  }

  std::string text(std::size_t i) const {
    std::string result;
    for (const auto& column : columns) result += " " + std::to_string(column[i]);
    return result;
  }
};

// The first quarter of the rows are special in some operands, the second small in size, the others even over the range.
Operands draw(const ir::FunctionFacts& row, std::uint64_t seed) {
  Random random(seed);
  Operands operands;
  operands.columns.resize(static_cast<std::size_t>(row.arity));
  for (std::size_t i = 0; i < kSamples; ++i)
    for (auto& column : operands.columns) {
      float value = random.uniform(row.low, row.high);
      if (i < kSamples / 4 && (row.arity == 1 || random.chance(0.7))) value = random.pick(kSpecials);
      if (i >= kSamples / 4 && i < kSamples / 2) value = std::ldexp(value, -static_cast<int>(random.below(40)));
      column.push_back(value);
    }
  // beta * x may flush to zero where it is not zero exactly: the bound holds for a moderate alpha only.
  if (row.function == ir::Function::ScaledTanh)
    for (float& alpha : operands.columns[1])
      if (std::fabs(alpha) > row.high) alpha = 1;
  return operands;
}

void check_bound(const ir::FunctionFacts& row, const Operands& operands, const std::vector<float>& results) {
  for (std::size_t i = 0; i < results.size(); ++i) {
    const double exact = operands.exact(row.function, i);
    // Without fused multiply-add, functions of one rounding are rounded to double on the way.
    const bool within = ulp_error(results[i], exact) <= row.ulp + 1e-8 ||
                        std::fabs(static_cast<double>(results[i]) - exact) <= row.floor;
    if (within) continue;
    INFO(row.name << " of" << operands.text(i) << " is " << results[i] << ", exactly " << exact);
    REQUIRE(within);
  }
}

// NaNs are all the same here.
std::vector<std::uint32_t> bits(const std::vector<float>& values) {
  std::vector<std::uint32_t> result;
  for (const float v : values) result.push_back(std::isnan(v) ? 0x7fc00000 : std::bit_cast<std::uint32_t>(v));
  return result;
}

float single(ir::Function function, const std::string& cpu, float x) {
  const FunctionHarness f = FunctionHarness::make(function, cpu, 4).value();
  const float* const operand = &x;
  float result = 0;
  f(&operand, &result, 1);
  return result;
}

}  // namespace

TEST_CASE("every function keeps the bound of its row on every CPU level and lane count") {
  for (const ir::FunctionFacts& row : ir::kAllFunctions) {
    const Operands operands = draw(row, 1);
    for (const std::string& cpu : compiler::runnable_levels())
      for (const unsigned lanes : {4u, 8u, 16u}) {
        INFO(row.name << " on " << cpu << " with " << lanes << " lanes");
        check_bound(row, operands, operands.apply(FunctionHarness::make(row.function, cpu, lanes).value()));
      }
  }
}

TEST_CASE("every function has the same bits for every lane count and CPU with fused multiply-add") {
  for (const ir::FunctionFacts& row : ir::kAllFunctions) {
    const Operands operands = draw(row, 2);
    for (const bool fma : {false, true}) {
      std::optional<std::vector<std::uint32_t>> first;
      for (const std::string& cpu : compiler::runnable_levels())
        for (const unsigned lanes : {1u, 2u, 4u, 8u, 16u}) {
          if (compiler::resolve_target(cpu).value().fma != fma) continue;
          INFO(row.name << " on " << cpu << " with " << lanes << " lanes");
          const auto found = bits(operands.apply(FunctionHarness::make(row.function, cpu, lanes).value()));
          if (!first) first = found;
          REQUIRE(found == *first);
        }
    }
  }
}

TEST_CASE("the portable executor gives the bits of generated functions", "[portable]") {
  for (const ir::FunctionFacts& row : ir::kAllFunctions) {
    const Operands operands = draw(row, 4);
    for (const std::string& cpu : compiler::runnable_levels()) {
      if (!runtime::portable_kernels(cpu)) continue;
      INFO(row.name << " on " << cpu);
      const auto generated = bits(operands.apply(FunctionHarness::make(row.function, cpu, 4).value()));
      const auto portable = bits(operands.apply_portable(row.function, cpu));
      for (std::size_t i = 0; i < generated.size(); ++i) {
        INFO(operands.text(i) << std::hex << " " << portable[i] << " " << generated[i]);
        // Whether a denormal that a function only passes on is flushed is up to the instruction that is chosen.
        const bool both_small = std::fabs(std::bit_cast<float>(portable[i])) < FLT_MIN &&
                                std::fabs(std::bit_cast<float>(generated[i])) < FLT_MIN;
        REQUIRE((both_small || portable[i] == generated[i]));
      }
    }
  }
}

TEST_CASE("generated functions reach their limits exactly") {
  using enum ir::Function;
  for (const std::string& cpu : compiler::runnable_levels()) {
    INFO(cpu);
    CHECK(single(Tanh, cpu, kInfinity) == 1);
    CHECK(single(Tanh, cpu, -kInfinity) == -1);
    CHECK(std::signbit(single(Tanh, cpu, -0.f)));
    CHECK(single(Sigmoid, cpu, -kInfinity) == 0);
    CHECK(single(Sigmoid, cpu, kInfinity) == 1);
    CHECK(single(Sigmoid, cpu, 0) == 0.5f);
    CHECK(single(Exp, cpu, 0) == 1);
    CHECK(single(Exp, cpu, -kInfinity) == 0);
    CHECK(single(Exp, cpu, kInfinity) == kInfinity);
    CHECK(single(Log, cpu, 1) == 0);
    CHECK(single(Log, cpu, 0) == -kInfinity);
    CHECK(single(Log, cpu, kInfinity) == kInfinity);
    CHECK(std::isnan(single(Log, cpu, -1)));
    CHECK(single(Softplus, cpu, kInfinity) == kInfinity);
    CHECK(std::signbit(single(Relu, cpu, -0.f)));
  }
}

TEST_CASE("generated tanh is odd, and tanh, sigmoid and erf stay within 1") {
  Operands operands{{Random(3).vector(kSamples, -12, 12)}};
  Operands negated = operands;
  for (float& x : negated.columns[0]) x = -x;
  for (const std::string& cpu : compiler::runnable_levels()) {
    const FunctionHarness tanh = FunctionHarness::make(ir::Function::Tanh, cpu, 4).value();
    const std::vector<float> positive = operands.apply(tanh), negative = negated.apply(tanh);
    for (std::size_t i = 0; i < kSamples; ++i) REQUIRE(positive[i] == -negative[i]);
    for (const ir::Function function : {ir::Function::Tanh, ir::Function::Sigmoid, ir::Function::Erf})
      for (const float y : operands.apply(FunctionHarness::make(function, cpu, 4).value())) REQUIRE(std::fabs(y) <= 1);
  }
}

TEST_CASE("the error measure tells units in the last place, and infinity for a wrong special") {
  CHECK(ulp_error(1.f, 1 + 0x1p-23) == 1);
  CHECK(ulp_error(0.5f, 0.5 - 0x1p-25) == 1);
  CHECK(ulp_error(0.f, 0x1p-127) == 0);
  CHECK(ulp_error(kInfinity, 0x1p128) == 0);
  CHECK(ulp_error(kNaN, kNaN) == 0);
  CHECK(std::isinf(ulp_error(kNaN, 1)));
  CHECK(std::isinf(ulp_error(FLT_MAX, kInfinity)));
}

}  // namespace rnnc::test
