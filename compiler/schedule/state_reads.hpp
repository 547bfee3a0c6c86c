// The stages of a schedule become the last stages that read each state, which tell whether a new value may overwrite
// the old one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rnnc::compiler {

struct Schedule;

struct StateReads {
  // For each node that is a state, the number behind that of the last stage that reads it: lane by lane, or such that
  // units read the elements of other units. 0 if there is none.
  std::vector<std::size_t> in_lanes, across;

  /// Tells whether the old value of `state` is not read later than in stage `written`, and there in the same lanes
  /// only.
  bool end_with(std::uint32_t state, std::size_t written) const {
    return across[state] <= written && in_lanes[state] <= written + 1;
  }
};

StateReads reads_of_states(const Schedule& schedule);

}  // namespace rnnc::compiler
