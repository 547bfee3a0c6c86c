// Random networks go through the checks of trial.hpp: the first of those that rnnc_random draws without end.
#include "tests/support/catch.hpp"
#include "tests/support/ci_seeds.hpp"
#include "tests/support/random_network.hpp"
#include "tests/support/trial.hpp"

namespace rnnc::test {

TEST_CASE("random networks match the interpreter, alone, in batches, in pieces and in every mode", "[differential]") {
  for (std::uint64_t seed = 0; seed < kRandomNetworks; ++seed) {
    const Subject subject = random_network(seed);
    const Setting setting = random_setting(subject, seed);
    INFO("seed " << seed << " on " << setting.executor);
    const Trial trial(subject, setting);
    for (const Check check : {Check::Interpreter, Check::Alone, Check::Pieces, Check::FloatModes})
      CHECK(trial.fault(check).value_or("") == "");
  }
}

TEST_CASE("random networks have the same bits again, on other threads and CPUs, and from artifacts", "[differential]") {
  for (std::uint64_t seed = 0; seed < kRandomNetworks; seed += 12) {
    const Subject subject = random_network(seed);
    const Setting setting = random_setting(subject, seed + kRandomNetworks);
    INFO("seed " << seed << " on " << setting.executor);
    const Trial trial(subject, setting);
    for (const Check check : {Check::Again, Check::Threads, Check::Levels, Check::Executors, Check::Artifact})
      CHECK(trial.fault(check).value_or("") == "");
  }
}

}  // namespace rnnc::test
