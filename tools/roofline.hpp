// The work of a sequence becomes the time that this machine needs for it at least: each step computes all its products,
// and reads the weights of its recurrent products again.
#pragma once

#include <cstdint>

#include "tools/limits.hpp"

namespace rnnc::tools {

struct Work {
  double flops_per_step = 0;   // of one sequence
  double recurrent_bytes = 0;  // weights that every step reads
  std::int64_t steps = 0, batch = 0, threads = 1;
  double rate = 1;  // the multiply-adds of this format that take as long as one of f32
};

/// Returns the seconds for all steps. A step takes the longer of its multiply-adds at their peak and of reading the
/// recurrent weights from the level of memory that holds them. Several threads have a core each, and at best share both
/// evenly.
double least_seconds(const Work& work, const Limits& limits);

}  // namespace rnnc::tools
