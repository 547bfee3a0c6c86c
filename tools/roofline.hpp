// The time that this machine needs at least for a sequence: each step computes all its products, and reads the weights
// of its recurrent products again.
#pragma once

#include <cstdint>

#include "tools/limits.hpp"

namespace rnnc::tools {

struct Work {
  double flops_per_step = 0;   // of one sequence
  double recurrent_bytes = 0;  // weights that every step reads
  std::int64_t steps = 0, batch = 0, threads = 1;
};

/// Seconds for all steps: of each, the longer of multiply-adds at their peak and of reading the recurrent weights from
/// the level of memory that holds them. Several threads have a core each, and at best share both evenly.
double least_seconds(const Work& work, const Limits& limits);

}  // namespace rnnc::tools
