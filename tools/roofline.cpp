#include "tools/roofline.hpp"

#include <algorithm>

namespace rnnc::tools {
namespace {

double bytes_per_second(const Limits& limits, double working_set) {
  for (const ReadSpeed& read : limits.reads)
    if (working_set <= read.bytes) return read.bytes_per_second;
  return limits.reads.back().bytes_per_second;
}

}  // namespace

double least_seconds(const Work& work, const Limits& limits) {
  const auto cores = static_cast<double>(work.threads);
  const double computing =
      work.flops_per_step * static_cast<double>(work.batch) / (cores * limits.flops_per_second * work.rate);
  const double share = work.recurrent_bytes / cores;
  const double reading = share / bytes_per_second(limits, share);
  return static_cast<double>(work.steps) * std::max(computing, reading);
}

}  // namespace rnnc::tools
