#include "tools/noise.hpp"

#include <algorithm>
#include <cstdio>

namespace rnnc::tools {
namespace {

// scripts/bench marks the same spread of rounds.
constexpr double kMostSpread = 0.10;
// If half of the calls take more than this times the best, the best one was an exception.
constexpr double kMostMedian = 1.25;
// A busy neighbour on the same CPU takes it 50 times a second or more; timers and the kernel's own threads a few times.
constexpr double kMostPreemptions = 25;

}  // namespace

bool Noise::is_noisy() const {
  return round_spread > kMostSpread || median_over_min > kMostMedian || preemptions_per_second > kMostPreemptions;
}

std::string Noise::to_string() const {
  char text[256];
  std::snprintf(
      text, sizeof text,
      "the best call of the slowest round took %.0f %% longer than the best of all (limit %.0f %%), the median "
      "call %.2f times the best (%.2f), and the system took the CPU away %.0f times a second (%.0f)",
      100 * round_spread, 100 * kMostSpread, median_over_min, kMostMedian, preemptions_per_second, kMostPreemptions);
  return text;
}

Noise noise_of(const std::vector<Times>& contestants) {
  Noise worst;
  for (const Times& times : contestants) {
    if (times.samples == 0) continue;
    worst.round_spread = std::max(worst.round_spread, times.round_spread);
    worst.median_over_min = std::max(worst.median_over_min, times.median() / times.min());
    worst.preemptions_per_second = std::max(worst.preemptions_per_second, times.preemptions_per_second);
  }
  return worst;
}

}  // namespace rnnc::tools
