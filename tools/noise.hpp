// Whether times were taken on a quiet machine: what others do to them is measured with them.
#pragma once

#include <string>
#include <vector>

#include "tools/timing.hpp"

namespace rnnc::tools {

struct Noise {
  double round_spread = 0;            // of the best samples of rounds; Times has the meaning
  double median_over_min = 1;         // of all samples
  double preemptions_per_second = 0;  // while it was timed

  /// Any of the three is above its limit.
  bool is_noisy() const;

  /// The three figures and their limits, for people.
  std::string to_string() const;
};

/// The worst of each figure over all contestants; a contestant without samples does not count.
Noise noise_of(const std::vector<Times>& contestants);

}  // namespace rnnc::tools
