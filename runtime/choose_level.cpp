#include "runtime/choose_level.hpp"

#include <bit>

#include <rnnc/join.hpp>

namespace rnnc::runtime {
namespace {

// Two levels of as many features are ordered by name, so that the order in the file does not matter.
bool is_lower(const StoredLevel& a, const StoredLevel& b) {
  const auto rank = [](const StoredLevel& level) {
    return (std::uint64_t{saved_registers_for(level.features)} << 32) +
           static_cast<unsigned>(std::popcount(level.features));
  };
  return rank(a) != rank(b) ? rank(a) < rank(b) : a.cpu < b.cpu;
}

bool runs_here(const StoredLevel& level) { return (level.features & ~host_features()) == 0; }

}  // namespace

std::string missing_features(const StoredLevel& level) { return feature_names(level.features & ~host_features()); }

Result<std::size_t> choose_level(const std::vector<StoredLevel>& levels, const std::string& cpu) {
  const StoredLevel *chosen = nullptr, *lowest = nullptr;
  for (const StoredLevel& level : levels) {
    if (!cpu.empty() && level.cpu != cpu) continue;
    if (!lowest || is_lower(level, *lowest)) lowest = &level;
    if (runs_here(level) && (!chosen || is_lower(*chosen, level))) chosen = &level;
  }
  if (chosen) return static_cast<std::size_t>(chosen - levels.data());
  const std::string names = join(levels, " or ", &StoredLevel::cpu);
  if (!lowest) return Error{ErrorCode::Usage, {}, "the artifact is for " + names + ", and not for '" + cpu + "'"};
  return Error{ErrorCode::Unsupported,
               {},
               "the artifact is for " + (cpu.empty() ? names : cpu) + ", and this CPU lacks " +
                   missing_features(*lowest) + "; compile the model for this one"};
}

}  // namespace rnnc::runtime
