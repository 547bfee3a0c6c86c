// Random cells go through the checks of trial.hpp: the first of those that rnnc_random draws without end.
#include "tests/support/catch.hpp"
#include "tests/support/ci_seeds.hpp"
#include "tests/support/random_cell.hpp"
#include "tests/support/random_network.hpp"
#include "tests/support/trial.hpp"

namespace rnnc::test {

TEST_CASE("random cells match the interpreter, alone, in batches, in pieces and in every mode", "[differential]") {
  for (std::uint64_t seed = 0; seed < kRandomCells; ++seed) {
    RandomCell random = random_cell(seed);
    const Subject subject{std::move(random.cell), std::move(random.weights)};
    const Setting setting = random_setting(subject, seed);
    INFO("seed " << seed << " on " << setting.executor);
    const Trial trial(subject, setting);
    for (const Check check : {Check::Interpreter, Check::Alone, Check::Pieces, Check::FloatModes})
      CHECK(trial.fault(check).value_or("") == "");
  }
}

TEST_CASE("random cells have the same bits again, on other threads and CPUs, and ahead of time", "[differential]") {
  for (std::uint64_t seed = 0; seed < kRandomCells; seed += 20) {
    RandomCell random = random_cell(seed);
    const Subject subject{std::move(random.cell), std::move(random.weights)};
    const Setting setting = random_setting(subject, seed + kRandomCells);
    INFO("seed " << seed << " on " << setting.executor);
    const Trial trial(subject, setting);
    for (const Check check :
         {Check::Again, Check::Threads, Check::Levels, Check::Plans, Check::Executors, Check::Artifact})
      CHECK(trial.fault(check).value_or("") == "");
    if (seed % 100 == 0) CHECK(trial.fault(Check::Object).value_or("") == "");
  }
}

}  // namespace rnnc::test
