#include "tools/flag_time.hpp"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "tools/best_rate.hpp"

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

namespace rnnc::tools {
namespace {

// A waiting thread looks so often before it lets others run, who may be what it waits for.
constexpr int kLooks = 1 << 14;
constexpr double kSeconds = 0.3;

// Returns the first value of the flag that is not `last`.
std::int64_t next_after(std::int64_t last, const std::atomic<std::int64_t>& flag) {
  std::int64_t seen = 0;
  for (int looks = 0; (seen = flag.load(std::memory_order_acquire)) == last; ++looks)
    if (looks == kLooks) {
      std::this_thread::yield();
      looks = 0;
    }
  return seen;
}

// Each flag has a cache line of its own, and no neighbour that would be fetched with it.
struct Flags {
  alignas(256) std::atomic<std::int64_t> there = 0;
  alignas(256) std::atomic<std::int64_t> back = 0;
};

#if defined(__linux__)

std::vector<int> cpus_of_process() {
  cpu_set_t set;
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

bool keep_on(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
}

#else

std::vector<int> cpus_of_process() { return {}; }
bool keep_on(int) { return false; }

#endif

constexpr std::int64_t kEnd = -1;

// Sends every number of `there` back.
void answer(Flags& flags) {
  for (std::int64_t seen = next_after(0, flags.there); seen != kEnd; seen = next_after(seen, flags.there))
    flags.back.store(seen, std::memory_order_release);
}

}  // namespace

double flag_seconds() {
  const std::vector<int> cpus = cpus_of_process();
  if (cpus.size() < 2) return 0;
  Flags flags;
  std::atomic<bool> both = true;
  double rate = 0;
  std::thread partner([&] {
    if (!keep_on(cpus[1])) both = false;
    answer(flags);
  });
  std::thread sender([&] {
    if (!keep_on(cpus[0])) both = false;
    std::int64_t number = 0;
    rate = best_rate(1, kSeconds, [&](std::int64_t trips) {
      for (std::int64_t i = 0; i < trips; ++i) {
        flags.there.store(++number, std::memory_order_release);
        (void)next_after(number - 1, flags.back);
      }
    });
    flags.there.store(kEnd, std::memory_order_release);
  });
  sender.join();
  partner.join();
  return both && rate > 0 ? 0.5 / rate : 0;
}

}  // namespace rnnc::tools
