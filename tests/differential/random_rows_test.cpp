// Random cells with rows go through the checks of trial.hpp.
#include "tests/support/random_rows.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/ci_seeds.hpp"
#include "tests/support/random_network.hpp"
#include "tests/support/trial.hpp"

namespace rnnc::test {

TEST_CASE("random cells with rows match the interpreter and have the same bits everywhere", "[differential][rows]") {
  for (std::uint64_t seed = 0; seed < kRandomRows; ++seed) {
    RandomCell random = random_rows(seed);
    const Subject subject{std::move(random.cell), std::move(random.weights)};
    const Setting setting = random_setting(subject, seed);
    INFO("seed " << seed << " on " << setting.executor);
    const Trial trial(subject, setting);
    for (const Check check : {Check::Interpreter, Check::Alone, Check::Pieces})
      CHECK(trial.fault(check).value_or("") == "");
    if (seed % 5 != 0) continue;
    for (const Check check :
         {Check::Again, Check::Threads, Check::Levels, Check::Plans, Check::Executors, Check::Artifact})
      CHECK(trial.fault(check).value_or("") == "");
    if (seed % 25 == 0) CHECK(trial.fault(Check::Object).value_or("") == "");
  }
}

}  // namespace rnnc::test
