#include "tools/timing.hpp"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>

#include "runtime/kernel_float_mode.hpp"

namespace rnnc::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kSecondsInAll = 0.3;
// Reading the clock costs some 20 ns, which is next to nothing in a sample of this length.
constexpr double kSecondsPerSample = 10e-6;
constexpr int kWarmUps = 3;
constexpr std::size_t kMostSamples = 100000;

double seconds(const std::function<void()>& call, int times) {
  const auto start = Clock::now();
  for (int i = 0; i < times; ++i) call();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Finds how many calls make a sample that is long enough.
int calls_per_sample(const std::function<void()>& call) {
  for (int i = 0; i < kWarmUps; ++i) call();
  int times = 1;
  while (seconds(call, times) < kSecondsPerSample && times < (1 << 20)) times *= 2;
  return times;
}

struct Usage {
  double preemptions = 0, cpu_seconds = 0;
};

// Counts all threads, since those of a pool work in a call too.
Usage usage() {
  rusage all{};
  (void)getrusage(RUSAGE_SELF, &all);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return {static_cast<double>(all.ru_nivcsw), seconds(all.ru_utime) + seconds(all.ru_stime)};
}

struct Samples {
  int calls = 1;  // of a sample
  std::vector<double> seconds;
  std::vector<double> best_of_rounds;
  double all_seconds = 0, all_preemptions = 0;  // the seconds in which it had a CPU
};

std::vector<double> timed_calls(const std::function<void()>& call, int times, double budget, std::size_t most) {
  const auto start = Clock::now();
  std::vector<double> samples;
  double past = 0;
  do {
    samples.push_back(seconds(call, times) / times);
    past = std::chrono::duration<double>(Clock::now() - start).count();
  } while (past < budget && samples.size() < most);
  return samples;
}

void take_turn(const Contestant& contestant, double budget, Samples& samples) {
  const Usage before = usage();
  const auto start = Clock::now();
  const std::size_t most = kMostSamples - std::min(samples.seconds.size(), kMostSamples - 1);
  const std::vector<double> own =
      contestant.call ? timed_calls(contestant.call, samples.calls, budget, most) : contestant.take_turn(budget);
  samples.best_of_rounds.push_back(std::ranges::min(own));
  samples.seconds.insert(samples.seconds.end(), own.begin(), own.end());
  const double past = std::chrono::duration<double>(Clock::now() - start).count();
  // Another process gives its CPU up when its turn is over, which is no sign of a neighbour.
  if (!contestant.call) return;
  const Usage after = usage();
  // The time that it waits for a CPU is left out: the longer its neighbours run, the fewer preemptions there are.
  samples.all_seconds += std::min(past, after.cpu_seconds - before.cpu_seconds);
  samples.all_preemptions += after.preemptions - before.preemptions;
}

Times summary(Samples& samples) {
  std::vector<double>& sorted = samples.seconds;
  std::ranges::sort(sorted);
  Times times;
  for (std::size_t p = 0; p < times.percentiles.size(); ++p) {
    const double rank = std::ceil(static_cast<double>(p * sorted.size()) / 100);
    times.percentiles[p] = sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
  }
  times.samples = sorted.size();
  times.round_spread = std::ranges::max(samples.best_of_rounds) / sorted.front() - 1;
  if (samples.all_seconds > 0) times.preemptions_per_second = samples.all_preemptions / samples.all_seconds;
  return times;
}

}  // namespace

std::vector<Times> time_in_turns(const std::vector<Contestant>& contestants, int rounds, const Report& report) {
  const runtime::KernelFloatMode mode;  // as in a program that processes signals, and alike for all contestants
  std::vector<Samples> samples(contestants.size());
  for (std::size_t i = 0; i < contestants.size(); ++i)
    if (contestants[i].call) samples[i].calls = calls_per_sample(contestants[i].call);
  for (int round = 0; round < rounds; ++round) {
    report(static_cast<double>(round) / rounds, "round " + std::to_string(round + 1) + " of " + std::to_string(rounds));
    for (std::size_t i = 0; i < contestants.size(); ++i) take_turn(contestants[i], kSecondsInAll / rounds, samples[i]);
  }
  std::vector<Times> times;
  for (Samples& each : samples) times.push_back(summary(each));
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
