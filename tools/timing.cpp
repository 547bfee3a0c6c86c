#include "tools/timing.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "runtime/flush_denormals.hpp"

namespace rnnc::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kSecondsInAll = 0.3;
// Reading the clock costs some 20 ns: a sample of this length makes that nothing.
constexpr double kSecondsPerSample = 10e-6;
constexpr int kWarmUps = 3;
constexpr std::size_t kMostSamples = 100000;

double seconds(const std::function<void()>& call, int times) {
  const auto start = Clock::now();
  for (int i = 0; i < times; ++i) call();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// How many calls make a sample that is long enough.
int calls_per_sample(const std::function<void()>& call) {
  for (int i = 0; i < kWarmUps; ++i) call();
  int times = 1;
  while (seconds(call, times) < kSecondsPerSample && times < (1 << 20)) times *= 2;
  return times;
}

struct Samples {
  int calls = 1;
  std::vector<double> seconds;
};

void take_turn(const std::function<void()>& call, double budget, Samples& samples) {
  const auto start = Clock::now();
  do {
    samples.seconds.push_back(seconds(call, samples.calls) / samples.calls);
  } while (std::chrono::duration<double>(Clock::now() - start).count() < budget &&
           samples.seconds.size() < kMostSamples);
}

Times summary(std::vector<double>& samples) {
  std::ranges::sort(samples);
  return {samples.front(), samples[samples.size() / 2]};
}

void show_progress(int round, int rounds) {
  std::fprintf(stderr, "\rtiming: round %d of %d ", round, rounds);
  if (round == rounds) std::fprintf(stderr, "\r%*s\r", 40, "");
}

}  // namespace

std::vector<Times> time_in_turns(const std::vector<std::function<void()>>& calls, int rounds) {
  const runtime::FlushDenormals flush;  // as in a program that processes signals, and alike for all contestants
  std::vector<Samples> samples(calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) samples[i].calls = calls_per_sample(calls[i]);
  const bool on_terminal = isatty(STDERR_FILENO) == 1;
  for (int round = 1; round <= rounds; ++round) {
    for (std::size_t i = 0; i < calls.size(); ++i) take_turn(calls[i], kSecondsInAll / rounds, samples[i]);
    if (on_terminal) show_progress(round, rounds);
  }
  std::vector<Times> times;
  for (Samples& each : samples) times.push_back(summary(each.seconds));
  return times;
}

void stay_on_this_cpu() {
#if defined(__linux__)
  const int cpu = sched_getcpu();
  if (cpu < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  (void)sched_setaffinity(0, sizeof set, &set);
#endif
}

void use_all_cpus() {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) CPU_SET(cpu, &set);
  (void)sched_setaffinity(0, sizeof set, &set);
#endif
}

}  // namespace rnnc::tools
