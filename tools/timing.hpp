// Fair times on a noisy machine: the contestants take turns in one run, and each is judged by its best and its median.
#pragma once

#include <functional>
#include <vector>

namespace rnnc::tools {

struct Times {
  double min = 0, median = 0;  // seconds of one call
};

/// Times each of `calls` for `rounds` turns, in all 0.3 s or more each.
std::vector<Times> time_in_turns(const std::vector<std::function<void()>>& calls, int rounds);

/// Keeps the calling thread on the CPU it is on, where the system can.
void stay_on_this_cpu();

/// Lets the calling thread, and those that it starts, run on every CPU that the system allows. OpenMP runtimes that come with
/// a baseline may have bound it to one before main().
void use_all_cpus();

}  // namespace rnnc::tools
