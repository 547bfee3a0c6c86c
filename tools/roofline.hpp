// The work of a sequence becomes the time that this machine needs for it at least: each step computes all its products,
// and reads the weights of its recurrent products again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tools/limits.hpp"

namespace rnnc::tools {

struct Work {
  double flops_per_step = 0;   // of one sequence
  double recurrent_bytes = 0;  // weights that every step reads
  std::int64_t steps = 0, batch = 0, threads = 1;
  double rate = 1;  // the multiply-adds of this format that take as long as one of f32
};

/// The least time of some work, and the figure of the limits that decides it.
struct Bound {
  double seconds = 0;    // of all steps
  bool is_read = false;  // reading takes longer than computing
  std::size_t set = 0;   // the index in Limits::reads of the smallest set that holds a core's share of the weights
};

/// A step takes the longer of its multiply-adds at their peak and of reading the recurrent weights from the level of
/// memory that holds them. Several threads have a core each, and at best share both evenly.
Bound bound_of(const Work& work, const Limits& limits);

/// Returns the least seconds of works one after the other.
double least_seconds(const std::vector<Work>& works, const Limits& limits);

}  // namespace rnnc::tools
