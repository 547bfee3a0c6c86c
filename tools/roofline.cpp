#include "tools/roofline.hpp"

#include <algorithm>

namespace rnnc::tools {
namespace {

std::size_t set_that_holds(const Limits& limits, double bytes) {
  std::size_t set = 0;
  while (set + 1 < limits.reads.size() && limits.reads[set].bytes < bytes) ++set;
  return set;
}

}  // namespace

Bound bound_of(const Work& work, const Limits& limits) {
  const auto cores = static_cast<double>(work.threads), steps = static_cast<double>(work.steps);
  const double computing =
      work.flops_per_step * static_cast<double>(work.batch) / (cores * limits.flops_per_second * work.rate);
  const double share = work.recurrent_bytes / cores;
  const std::size_t set = set_that_holds(limits, share);
  const double reading = share / limits.reads[set].bytes_per_second;
  return {steps * std::max(computing, reading), reading > computing, set};
}

double least_seconds(const std::vector<Work>& works, const Limits& limits) {
  double seconds = 0;
  for (const Work& work : works) seconds += bound_of(work, limits).seconds;
  return seconds;
}

}  // namespace rnnc::tools
