// The levels of memory of this machine, for labels of its reading speeds.
#pragma once

#include <string>
#include <vector>

#include "tools/limits.hpp"

namespace rnnc::tools {

struct LevelSpeed {
  std::string name;  // L1, L2, ..., memory
  double bytes_per_second = 0;
};

/// Of each level, the fastest of the sets that fill it to half at most and none before it; for memory, of those that
/// are twice the last cache. Where the system tells no caches, the smallest and the largest set by their sizes.
std::vector<LevelSpeed> level_speeds(const Limits& limits);

}  // namespace rnnc::tools
