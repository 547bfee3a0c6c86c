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
  std::string text;
  const auto add = [&](const char* format, double figure, double most) {
    char part[160];
    std::snprintf(part, sizeof part, format, figure, most);
    text += (text.empty() ? "" : ", ") + std::string(part);
  };
  if (round_spread > kMostSpread)
    add("the best call of the slowest round took %.0f %% longer than the best of all (limit %.0f %%)",
        100 * round_spread, 100 * kMostSpread);
  if (median_over_min > kMostMedian)
    add("the median call took %.2f times as long as the best (limit %.2f)", median_over_min, kMostMedian);
  if (preemptions_per_second > kMostPreemptions)
    add("the system took the CPU away %.0f times a second (limit %.0f)", preemptions_per_second, kMostPreemptions);
  return text;
}

Noise worse_of(const Noise& one, const Noise& other) {
  return {std::max(one.round_spread, other.round_spread), std::max(one.median_over_min, other.median_over_min),
          std::max(one.preemptions_per_second, other.preemptions_per_second)};
}

Noise noise_of(const std::vector<Times>& contestants) {
  Noise worst;
  for (const Times& times : contestants)
    if (times.samples > 0)
      worst = worse_of(worst, {times.round_spread, times.median() / times.min(), times.preemptions_per_second});
  return worst;
}

}  // namespace rnnc::tools
