// The gradient of a matrix is a sum of outer products over steps and sequences. It is computed a block of rows at a
// time: each element is a chain of multiply-adds over the rows of a block, which begins with zero and is then added to
// the sum. The order does not depend on threads or on the instruction set, so that neither do the bits where products
// are fused.
#pragma once

#include <cstdint>
#include <string_view>

namespace rnnc::compiler {

/// The most rows of a block. The error of a chain grows with their number, and that of the sum with the number of
/// blocks: both stay small for thousands of rows.
inline constexpr std::int64_t kBlockRows = 64;

/// sum[i][k] += chain over r of left[r][i] * right[r][k].
struct OuterProducts {
  std::int64_t rows = 0;                // <= kBlockRows
  const float* const* left = nullptr;   // [rows]: each has left_count elements
  const float* const* right = nullptr;  // [rows]: each has right_count elements
  std::int64_t left_count = 0, right_count = 0;
  float* sum = nullptr;
  std::int64_t stride = 0;   // of the rows of the sum
  float* scratch = nullptr;  // of outer_scratch(left_count) floats, on a cache line
};

constexpr std::int64_t outer_scratch(std::int64_t left_count) { return kBlockRows * (left_count + 16); }

using AddOuterProducts = void (*)(const OuterProducts& products) noexcept;

/// Returns the function for a level of the portable executor: "x86-64-v2", "x86-64-v3", "x86-64-v4" or "generic".
AddOuterProducts outer_products_for(std::string_view level);

}  // namespace rnnc::compiler
