// These are the random graphs that every run of the tests draws. rnnc_random goes on from there.
#pragma once

#include <cstdint>

namespace rnnc::test {

inline constexpr std::uint64_t kRandomCells = 500, kRandomNetworks = 150, kRandomRows = 100, kGradients = 100,
                               kTrainings = 60;

}  // namespace rnnc::test
