// Gradients of random cells and networks are compared with differences of the interpreter, which knows no gradient.
#include "tests/support/gradients.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/ci_seeds.hpp"
#include "tests/support/random_network.hpp"
#include "tests/support/random_rows.hpp"

namespace rnnc::test {
namespace {

std::string fault_of(const Subject& subject, std::uint64_t seed, GradientCounts& counts) {
  Setting setting;
  setting.steps = 1 + static_cast<std::int64_t>(seed % 5);
  setting.batch = 1 + static_cast<std::int64_t>(seed % 3);
  setting.ragged = seed % 2 == 1;
  setting.seed = seed;
  return gradient_fault(subject, setting, &counts).value_or("");
}

std::string fault_of(RandomCell cell, std::uint64_t seed, GradientCounts& counts) {
  return fault_of(Subject{std::move(cell.cell), std::move(cell.weights)}, seed, counts);
}

}  // namespace

TEST_CASE("gradients of random cells, rows and networks are those of differences", "[differential][gradient]") {
  GradientCounts counts;
  for (std::uint64_t seed = 0; seed < kGradients; ++seed) {
    INFO("seed " << seed);
    CHECK(fault_of(random_cell(seed), seed, counts) == "");
    CHECK(fault_of(random_rows(seed), seed, counts) == "");
    CHECK(fault_of(random_network(seed), seed, counts) == "");
  }
  CHECK(counts.checked > 2 * counts.kinks);
}

}  // namespace rnnc::test
