// The sum of outer products on the widest vectors of an instruction set. This file is included once for each set, by a
// source of its own; everything has internal linkage for the reason that runtime/simd_vector.hpp gives.
#pragma once

#include <algorithm>
#include <cstring>

#include "compiler/gradient/outer_products.hpp"
#include "runtime/simd_vector.hpp"

namespace rnnc::compiler {
namespace {

using runtime::kWidth;
using runtime::Vector;

// A tile has sums in kTileRows * kTileVectors registers. They hide the latency of multiply-adds: 16 of 32 registers, or
// 12 of 16.
constexpr int kTileRows = kWidth == 16 ? 8 : 6;
static_assert(kTileRows <= kMostTileRows);
constexpr int kTileVectors = 2;
constexpr int kTileColumns = kTileVectors * kWidth;

// Copies columns [first, first + width) of all rows side by side; columns from `end` on are zero.
template <int width>
void pack(const float* const* rows, std::int64_t count, std::int64_t first, std::int64_t end, float* to) {
  const std::int64_t present = std::min<std::int64_t>(width, end - first);
  for (std::int64_t r = 0; r < count; ++r, to += width) {
    if (present == width) {
      std::memcpy(to, rows[r] + first, width * sizeof(float));
    } else {
      std::copy_n(rows[r] + first, present, to);
      std::fill(to + present, to + width, 0.0F);
    }
  }
}

// Computes a tile of packed rows and adds it to `sum`, as far as that has `rows` and `columns`.
void add_tile(std::int64_t count, const float* left, const float* right, float* sum, std::int64_t stride,
              std::int64_t rows, std::int64_t columns) {
  Vector chains[kTileRows][kTileVectors];
#pragma GCC unroll 16
  for (int i = 0; i < kTileRows; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < kTileVectors; ++v) chains[i][v] = Vector(0.0F);
  for (std::int64_t r = 0; r < count; ++r, left += kTileRows, right += kTileColumns) {
    Vector vectors[kTileVectors];
    for (int v = 0; v < kTileVectors; ++v) vectors[v] = Vector::load_aligned(right + v * kWidth);
    for (int i = 0; i < kTileRows; ++i) {
      const Vector factor(left[i]);
      for (int v = 0; v < kTileVectors; ++v) chains[i][v] = runtime::multiply_add(factor, vectors[v], chains[i][v]);
    }
  }
  if (rows >= kTileRows && columns >= kTileColumns) {
#pragma GCC unroll 16
    for (int i = 0; i < kTileRows; ++i, sum += stride)
#pragma GCC unroll 4
      for (int v = 0; v < kTileVectors; ++v)
        (Vector::load_unaligned(sum + v * kWidth) + chains[i][v]).store_unaligned(sum + v * kWidth);
    return;
  }
  float tile[kTileRows][kTileColumns];
#pragma GCC unroll 16
  for (int i = 0; i < kTileRows; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < kTileVectors; ++v) chains[i][v].store_unaligned(tile[i] + v * kWidth);
  for (std::int64_t i = 0; i < std::min<std::int64_t>(rows, kTileRows); ++i)
    for (std::int64_t k = 0; k < std::min<std::int64_t>(columns, kTileColumns); ++k) sum[i * stride + k] += tile[i][k];
}

// Packs the rows of a sum, tile after tile. Two tiles are packed at once: their columns lie in one cache line or two,
// and the lines of all rows would not stay in L1 until the next tile, since rows lie a power of two apart.
float* pack_left(const OuterProducts& products, const OuterSum& sum, float* to) {
  const std::int64_t count = products.rows, tile = count * kTileRows;
  const std::int64_t begin = sum.begin, end = sum.begin + sum.rows;
  std::int64_t i = begin;
  for (; i + 2 * kTileRows <= end; i += 2 * kTileRows, to += 2 * tile)
    for (std::int64_t r = 0; r < count; ++r) {
      std::memcpy(to + r * kTileRows, products.left[r] + i, kTileRows * sizeof(float));
      std::memcpy(to + tile + r * kTileRows, products.left[r] + i + kTileRows, kTileRows * sizeof(float));
    }
  for (; i < end; i += kTileRows, to += tile) pack<kTileRows>(products.left, count, i, end, to);
  return to;
}

void add_outer_products(const OuterProducts& products) noexcept {
  const std::int64_t count = products.rows;
  float* packed = products.scratch;
  if (!products.is_left_packed)
    for (const OuterSum& sum : products.sums) packed = pack_left(products, sum, packed);
  alignas(64) float right[kBlockRows * kTileColumns];
  for (std::int64_t k = 0; k < products.right_count; k += kTileColumns) {
    pack<kTileColumns>(products.right, count, k, products.right_count, right);
    const float* left = products.scratch;
    for (const OuterSum& sum : products.sums)
      for (std::int64_t i = 0; i < sum.rows; i += kTileRows, left += count * kTileRows)
        add_tile(count, left, right, sum.values + i * sum.stride + k, sum.stride, sum.rows - i,
                 products.right_count - k);
  }
}

}  // namespace
}  // namespace rnnc::compiler
