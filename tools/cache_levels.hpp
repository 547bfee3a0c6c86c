// Measured reading speeds become a speed with a name for each level of memory of this machine.
#pragma once

#include <string>
#include <vector>

#include "tools/limits.hpp"

namespace rnnc::tools {

struct LevelSpeed {
  std::string name;  // L1, L2, ..., memory
  double bytes_per_second = 0;
};

/// Returns the name of the smallest cache that holds a working set of `bytes`, memory where none does, and "" where the
/// system names no caches. A set that fills more than half of a cache counts as one of the next, as below.
std::string level_of(double bytes);

/// Returns "96 bytes", "256 KiB" or "4 MiB".
std::string size_text(double bytes);

/// Gives each cache the best speed of the working sets that are larger than the cache before it and fill it to half at
/// most. Memory gets the best speed of the sets that are twice the last cache or more. Where the system names no
/// caches, the result has the smallest and the largest set, named by their sizes.
std::vector<LevelSpeed> level_speeds(const Limits& limits);

}  // namespace rnnc::tools
