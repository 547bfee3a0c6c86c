#include "runtime/state_bound.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace rnnc::runtime {

Result<void> check_bound(const StateInfo& info, const std::string& name, std::span<const float> values) {
  constexpr float kRounding = 0.001f;  // what another program computed may be beyond by its rounding
  const float low = info.low - std::abs(info.low) * kRounding, high = info.high + std::abs(info.high) * kRounding;
  const auto beyond = std::ranges::find_if(values, [&](float value) { return value < low || value > high; });
  if (beyond == values.end()) return {};
  const std::int64_t index = beyond - values.begin();
  char text[160];
  std::snprintf(text, sizeof text, " has %g at [%lld,%lld], which is not in %g to %g", static_cast<double>(*beyond),
                static_cast<long long>(index / info.size), static_cast<long long>(index % info.size),
                static_cast<double>(info.low), static_cast<double>(info.high));
  return Error{ErrorCode::InvalidData,
               {},
               "state " + name + text + ", the range that its integers were made for; use f16, bf16 or f32 weights",
               {}};
}

}  // namespace rnnc::runtime
