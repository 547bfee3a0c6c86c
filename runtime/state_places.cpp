#include "runtime/state_places.hpp"

namespace rnnc::runtime {

StatePlaces::StatePlaces(const std::vector<std::shared_ptr<const LoadedCell>>& cells,
                         const std::vector<NamedState>& states) {
  Before before;
  before_.reserve(cells.size());
  for (const auto& cell : cells) {
    before_.push_back(before);
    for (const std::int64_t row : {cell->description.doubled_row, cell->description.in_place_row}) {
      before.lines += row / kCacheLineFloats;
      ++before.arrays[static_cast<std::size_t>(row % kCacheLineFloats)];
    }
  }
  for (std::size_t i = 0; i < states.size(); ++i) numbers_.emplace(states[i].name, i);
}

std::int64_t StatePlaces::floats_before(std::size_t cell, std::int64_t batch) const noexcept {
  const Before& before = before_[cell];
  std::int64_t floats = batch * before.lines * kCacheLineFloats;
  for (std::size_t rest = 1; rest < before.arrays.size(); ++rest)
    floats += before.arrays[rest] * whole_lines(batch * static_cast<std::int64_t>(rest));
  return floats;
}

std::optional<std::size_t> StatePlaces::find(const std::string& name) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace rnnc::runtime
