// What one core of this machine can do at most, measured: f32 multiply-adds, and reads from working sets of any size.
// It takes about a second, so the figures are kept in the cache folder; what cannot be read there is measured anew.
#pragma once

#include <string>
#include <vector>

namespace rnnc::tools {

struct ReadSpeed {
  double bytes = 0;  // of the working set
  double bytes_per_second = 0;
};

struct Limits {
  std::string cpu;  // the model's name, as the system spells it
  double flops_per_second = 0;
  std::vector<ReadSpeed> reads;  // by rising working set
};

Limits measure_limits();

/// From the cache folder if they are there, else measured and put there.
Limits load_limits();

}  // namespace rnnc::tools
