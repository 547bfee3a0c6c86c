// Work that is done again and again becomes its best rate, since other processes only ever slow work down.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace rnnc::tools {

/// Returns the best rate of `work(n)`, which does n * `amount`, of samples that take `budget` seconds together. A
/// sample is short, so that some lie between two interruptions.
template <class Work>
double best_rate(double amount, double budget, const Work& work) {
  using Clock = std::chrono::steady_clock;
  constexpr double kSample = 2e-4;
  constexpr int kLeastSamples = 4;
  const auto seconds = [&](std::int64_t n) {
    const auto start = Clock::now();
    work(n);
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  std::int64_t n = 1;
  for (double time = seconds(n); time < kSample && n < (std::int64_t{1} << 40); time = seconds(n)) n *= 2;
  double best = 0, past = 0;
  for (int sample = 0; sample < kLeastSamples || past < budget; ++sample) {
    const double time = seconds(n);
    best = std::max(best, static_cast<double>(n) * amount / time);
    past += time;
  }
  return best;
}

}  // namespace rnnc::tools
