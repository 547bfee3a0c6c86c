// The random cells of the differential tests are what those tests take them for.
#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "ir/interpret.hpp"
#include "ir/parse.hpp"
#include "ir/print.hpp"
#include "ir/verify.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/ci_seeds.hpp"
#include "tests/support/random.hpp"
#include "tests/support/random_cell.hpp"
#include "tests/support/random_rows.hpp"

using namespace rnnc;
using test::Random;
using test::random_cell;
using test::RandomCell;

namespace {

constexpr std::uint64_t kSeeds = 1000;

ir::NamedVectors widen(const std::map<std::string, std::vector<float>>& weights) {
  ir::NamedVectors result;
  for (const auto& [name, values] : weights) result[name] = ir::Vector(values.begin(), values.end());
  return result;
}

std::int64_t input_size(const ir::Cell& cell) {
  std::int64_t size = 0;
  for (const ir::Node& node : cell.nodes) {
    if (node.op == ir::Op::Input) size += node.type.rank() == 0 ? 1 : node.type.dims[0].value();
  }
  return size;
}

}  // namespace

TEST_CASE("random numbers are the same on every platform") {
  Random random(1234567);
  CHECK(random.next() == 6457827717110365317u);  // the reference implementation's first results for this seed
  CHECK(random.next() == 3203168211198807973u);
  CHECK(random.next() == 9817491932198370423u);
  for (int i = 0; i < 1000; ++i) {
    const float v = random.uniform(-2, 3);
    CHECK((v >= -2 && v < 3));
  }
}

TEST_CASE("a random cell verifies and is bound") {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const RandomCell random = random_cell(seed);
    INFO(ir::print(random.cell));
    const Result<void> verified = ir::verify(random.cell);
    REQUIRE(verified.ok());
    REQUIRE(random.cell.dims.empty());
  }
}

TEST_CASE("a random cell survives print and parse") {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const ir::Cell cell = random_cell(seed).cell;
    const std::string text = ir::print(cell);
    INFO(text);
    const Result<ir::Module> module = ir::parse(text);
    if (!module) FAIL(module.error().to_string());
    REQUIRE(module->cells.size() == 1);
    REQUIRE(ir::equal(module->cells[0], cell));
  }
}

TEST_CASE("a seed gives the same random cell every time, another seed another") {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const RandomCell first = random_cell(seed);
    const RandomCell second = random_cell(seed);
    REQUIRE(ir::equal(first.cell, second.cell));
    REQUIRE(first.weights == second.weights);
    ir::Cell other = random_cell(seed + 1).cell;
    other.name = first.cell.name;
    REQUIRE_FALSE(ir::equal(first.cell, other));
  }
}

TEST_CASE("a random cell stays small for 50 steps") {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const RandomCell random = random_cell(seed);
    Random draw(seed);
    ir::Batch batch{50, 1, {}, {}};
    const std::vector<float> x = draw.vector(static_cast<std::size_t>(50 * input_size(random.cell)), -1, 1);
    batch.x.assign(x.begin(), x.end());
    ir::NamedVectors states;
    const ir::Vector y = ir::interpret(random.cell, widen(random.weights), batch, states);
    INFO(ir::print(random.cell));
    REQUIRE(std::all_of(y.begin(), y.end(), [](double v) { return std::fabs(v) <= 16; }));
    for (const auto& [name, values] : states) {
      REQUIRE(std::all_of(values.begin(), values.end(), [](double v) { return std::fabs(v) <= 1; }));
    }
  }
}

TEST_CASE("random cells, and those with rows, have every op, function and reduction") {
  std::set<ir::Op> ops;
  std::set<ir::Function> functions;
  std::set<ir::Reduction> reductions;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const ir::Cell cell = random_cell(seed).cell;
    for (const ir::Node& node : cell.nodes) {
      ops.insert(node.op);
      if (node.op == ir::Op::Map) functions.insert(node.function);
      if (node.op == ir::Op::Reduce) reductions.insert(node.reduction);
    }
  }
  for (std::uint64_t seed = 0; seed < rnnc::test::kRandomRows; ++seed)
    for (const ir::Node& node : rnnc::test::random_rows(seed).cell.nodes) ops.insert(node.op);
  const ir::Op all_ops[] = {
#define RNNC_OP(enumerator, text) ir::Op::enumerator,
#include "ir/ops.def"
  };
  CHECK(ops.size() == std::size(all_ops) - 1);  // a pass writes Quantize, no text has it
  for (const ir::FunctionFacts& row : ir::kFunctions) {
    INFO(row.name);
    CHECK(functions.contains(row.function));
  }
  for (const ir::ReductionFacts& row : ir::kReductions) {
    INFO(row.name);
    CHECK(reductions.contains(row.reduction));
  }
}
