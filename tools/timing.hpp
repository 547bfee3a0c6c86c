// Calls of contestants become times that are fair even on a noisy machine: the contestants take turns in one run, and
// each is judged by its best and its median.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <vector>

#include "tools/progress.hpp"

namespace rnnc::tools {

/// Holds the seconds of one call. A sample is the mean of as many calls as take 10 us, or one that takes longer.
struct Times {
  std::array<double, 101> percentiles{};  // [p]: p per cent of the samples took at most this
  std::size_t samples = 0;
  double round_spread = 0;  // by which part the best sample of the worst round was slower than the best of all
  double preemptions_per_second = 0;  // of CPU time: how often the system gave the CPU to somebody else

  double min() const { return percentiles.front(); }
  double median() const { return percentiles[50]; }
  double p99() const { return percentiles[99]; }
};

/// Holds who is timed: a function, or another process, which times its calls itself.
struct Contestant {
  std::function<void()> call;
  /// Calls for about so many seconds, once at least, and returns the seconds of each sample. Empty where `call` is not.
  std::function<std::vector<double>(double seconds)> take_turn;

  bool any() const { return call || take_turn; }
};

/// Times each contestant for `rounds` turns, in all 0.3 s or more each.
std::vector<Times> time_in_turns(const std::vector<Contestant>& contestants, int rounds, const Report& report);

/// Keeps the calling thread on the CPU it is on, where the system can.
void stay_on_this_cpu();

/// Lets the calling thread, and those that it starts, run on every CPU that the system allows. The OpenMP
/// runtime that comes with a baseline may have bound it to one when it was loaded.
void use_all_cpus();

}  // namespace rnnc::tools
