#include "runtime/state_bound.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace rnnc::runtime {

Result<void> check_bound(const StateInfo& info, const std::string& name, std::span<const float> values) {
  constexpr float kRounding = 1.001f;  // what another program computed may be beyond by its rounding
  const auto beyond =
      std::ranges::find_if(values, [&](float value) { return std::fabs(value) > info.bound * kRounding; });
  if (beyond == values.end()) return {};
  const std::int64_t index = beyond - values.begin();
  char text[96];
  std::snprintf(text, sizeof text, " has %g at [%lld,%lld], which is beyond %g", static_cast<double>(*beyond),
                static_cast<long long>(index / info.size), static_cast<long long>(index % info.size),
                static_cast<double>(info.bound));
  return Error{ErrorCode::InvalidData,
               {},
               "state " + name + text + ", the most that weights of integers allow here; use f16, bf16 or f32 weights",
               {}};
}

}  // namespace rnnc::runtime
