// Copies a matrix turned, so that its rows become columns.
#pragma once

#include <cstdint>

namespace rnnc::runtime {

/// Writes to[k * to_step + r] = from[r * from_step + k] for all rows r and columns k; steps are in elements. So many
/// rows at once fill a cache line of `to`, whose rows may be kilobytes apart.
inline void transpose(const float* from, std::int64_t from_step, std::int64_t rows, std::int64_t columns, float* to,
                      std::int64_t to_step) {
  constexpr std::int64_t kRows = 16;
  std::int64_t r0 = 0;
  for (; r0 + kRows <= rows; r0 += kRows)
    for (std::int64_t k = 0; k < columns; ++k)
      for (std::int64_t r = 0; r < kRows; ++r) to[k * to_step + r0 + r] = from[(r0 + r) * from_step + k];
  for (std::int64_t k = 0; k < columns; ++k)
    for (std::int64_t r = r0; r < rows; ++r) to[k * to_step + r] = from[r * from_step + k];
}

}  // namespace rnnc::runtime
