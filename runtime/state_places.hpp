// The cells and states of a program become an index: where the states of any cell lie for any batch, and which state
// has a name, both without a walk over all cells.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/cell.hpp"
#include "runtime/steps.hpp"

namespace rnnc::runtime {

class StatePlaces {
 public:
  StatePlaces() = default;
  StatePlaces(const std::vector<std::shared_ptr<const LoadedCell>>& cells, const std::vector<NamedState>& states);

  /// Returns the floats that the states of all cells before `cell` take for a batch, each array in whole lines.
  std::int64_t floats_before(std::size_t cell, std::int64_t batch) const noexcept;

  /// Returns the number of the first state of a name.
  std::optional<std::size_t> find(const std::string& name) const;

 private:
  // The arrays before a cell. A row is a number of whole lines and a rest: the lines of all rows add up, and arrays of
  // the same rest take the same number of lines more for a batch.
  struct Before {
    std::int64_t lines = 0;
    std::array<std::uint32_t, kCacheLineFloats> arrays{};  // by the rest of their rows
  };

  std::vector<Before> before_;                  // of each cell
  std::map<std::string, std::size_t> numbers_;  // of the states
};

}  // namespace rnnc::runtime
