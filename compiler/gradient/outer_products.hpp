// The gradient of a matrix is a sum of outer products over steps and sequences. It is computed a block of rows at a
// time: each element is a chain of multiply-adds over the rows of a block, which begins with zero and is then added to
// the sum. The order does not depend on threads or on the instruction set, so that neither do the bits where products
// are fused.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace rnnc::compiler {

/// The most rows of a block. The error of a chain grows with their number, and that of the sum with the number of
/// blocks: both stay small for thousands of rows.
inline constexpr std::int64_t kBlockRows = 128;

/// values[i][k] += chain over r of left[r][begin + i] * right[r][k], for i < rows.
struct OuterSum {
  float* values = nullptr;
  std::int64_t stride = 0;  // of the rows of `values`
  std::int64_t begin = 0, rows = 0;
};

/// Sums that have the same right factor, such as those of a cell's gates.
struct OuterProducts {
  std::int64_t rows = 0;                // <= kBlockRows
  const float* const* left = nullptr;   // [rows]
  bool is_left_packed = false;          // by the call before, which had the same left rows and parts of them
  const float* const* right = nullptr;  // [rows]: each has right_count elements
  std::int64_t right_count = 0;
  std::span<const OuterSum> sums;
  float* scratch = nullptr;  // of outer_scratch() floats for all rows of the sums, on a cache line
};

inline constexpr std::int64_t kMostTileRows = 8;

/// The rows of each sum are filled up to whole tiles, whose rows are those of the instruction set.
constexpr std::int64_t outer_scratch(std::int64_t rows_of_sum) {
  return kBlockRows * (rows_of_sum + kMostTileRows - 1);
}

using AddOuterProducts = void (*)(const OuterProducts& products) noexcept;

/// Returns the function for a level of the portable executor: "x86-64-v2", "x86-64-v3", "x86-64-v4" or "generic".
AddOuterProducts outer_products_for(std::string_view level);

}  // namespace rnnc::compiler
