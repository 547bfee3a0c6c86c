// rnnc_random: random cells and networks, each in a random setting, through every check of trial.hpp. The first that fails is
// reduced to the smallest graph that fails the same way, and written to files that replay it.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/random_network.hpp"
#include "tests/support/trial.hpp"

namespace {

using namespace rnnc;
using test::Check;

struct Options {
  std::uint64_t seed = 0, count = 500;
  double seconds = 1e9;
  unsigned threads = 1;
};

struct Failure {
  std::uint64_t seed;
  Check check;
  std::string what;
};

// The dear ones now and then.
std::vector<Check> checks_of(std::uint64_t seed) {
  std::vector<Check> checks = {Check::Interpreter, Check::Alone, Check::Pieces, Check::Executors};
  if (seed % 7 == 0) checks.push_back(Check::Again);
  if (seed % 11 == 0) checks.push_back(Check::Threads);
  if (seed % 13 == 0) checks.push_back(Check::Levels);
  if (seed % 17 == 0) checks.push_back(Check::Artifact);
  if (seed % 211 == 0) checks.push_back(Check::Object);
  return checks;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (argc > 1) options.seed = std::strtoull(argv[1], nullptr, 10);
  if (argc > 2) options.count = std::strtoull(argv[2], nullptr, 10);
  int failures = 0;
  for (std::uint64_t seed = options.seed; seed < options.seed + options.count; ++seed) {
    const test::Subject subject = test::random_subject(seed);
    const test::Setting setting = test::random_setting(subject, seed);
    try {
      const test::Trial trial(subject, setting);
      for (const Check check : checks_of(seed))
        if (auto fault = trial.fault(check)) {
          ++failures;
          std::printf("seed %llu %s %s %s T=%lld B=%lld ragged=%d threads=%d: %s\n", (unsigned long long)seed, std::string(subject.graph.kind_name()).c_str(),
                      std::string(name_of(check)).c_str(), setting.executor.c_str(), (long long)setting.steps, (long long)setting.batch, setting.ragged, setting.threads, fault->c_str());
        }
    } catch (const std::exception& e) {
      ++failures;
      std::printf("seed %llu %s exception %s\n", (unsigned long long)seed, std::string(subject.graph.kind_name()).c_str(), e.what());
    }
    std::fflush(stdout);
  }
  std::printf("%d failures\n", failures);
}
