// Measurements become the limits of one core of this machine: f32 operations a second, and bytes read a second from
// working sets of any size. They take about a second, so the figures are kept in the cache folder; figures that cannot
// be read there are measured anew.
#pragma once

#include <string>
#include <vector>

namespace rnnc::tools {

struct ReadSpeed {
  double bytes = 0;  // the size of the working set
  double bytes_per_second = 0;
};

struct Limits {
  std::string cpu;  // the model's name, as the system spells it
  double flops_per_second = 0;
  std::vector<ReadSpeed> reads;  // by rising working set
};

Limits measure_limits();

/// Reads the limits from the cache folder if they are there; else measures the limits and puts them there.
Limits load_limits();

}  // namespace rnnc::tools
