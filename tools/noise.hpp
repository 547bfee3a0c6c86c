// The times of contestants become figures that tell whether the machine was quiet while the times were taken.
#pragma once

#include <string>
#include <vector>

#include "tools/timing.hpp"

namespace rnnc::tools {

struct Noise {
  double round_spread = 0;            // the worst of the contestants; Times tells what it means
  double median_over_min = 1;         // of all samples of a contestant
  double preemptions_per_second = 0;  // while it was timed

  /// Tells whether any of the three figures is above its limit.
  bool is_noisy() const;

  /// Prints the figures that are above their limits, with these, for people; "" where none is.
  std::string to_string() const;
};

/// Takes the worse of each figure.
Noise worse_of(const Noise& one, const Noise& other);

/// Takes the worst of each figure over all contestants; a contestant without samples does not count.
Noise noise_of(const std::vector<Times>& contestants);

}  // namespace rnnc::tools
