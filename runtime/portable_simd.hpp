// The operations of portable programs on xsimd's widest vectors. This file is included once for each instruction set,
// by a source of its own. Every function here is a template on the vectors or has internal linkage: the linker keeps
// one of several equal inline functions, which could be one that the machine cannot run.
#pragma once

#include <bit>
#include <cstring>
#include <xsimd/xsimd.hpp>

#include "runtime/formulas.hpp"
#include "runtime/portable_kernels.hpp"
#include "runtime/simd_vector.hpp"

namespace rnnc::runtime {
namespace {

using Words = xsimd::batch<std::int32_t>;
using UnsignedWords = xsimd::batch<std::uint32_t>;

static_assert(kPortableLanes % kWidth == 0, "a block is whole vectors");

class VectorArithmetic : public Operators<Vector, Words, xsimd::batch_bool<float>> {
 public:
  static Bits bits(std::uint32_t constant) { return Words(static_cast<std::int32_t>(constant)); }

  // This is not -x, which is 0 - x in some versions of xsimd: the negation of 0 would be 0 and not -0.
  static Float neg(Float x) { return as_float(as_bits(x) ^ bits(0x80000000)); }
  static Float abs(Float x) { return xsimd::abs(x); }
  static Float sqrt(Float x) { return xsimd::sqrt(x); }
  static Float copy_sign(Float magnitude, Float sign) { return xsimd::copysign(magnitude, sign); }
  static Float fma(Float a, Float b, Float c) { return multiply_add(a, b, c); }

  // Without fused multiply-add, the product is computed in double, in which it is exact.
  static Float affine(Float x, Float alpha, Float beta) {
#if (defined(__FMA__) || defined(__aarch64__)) && !defined(RNNC_UNFUSED)
    return fma(alpha, x, beta);
#else
    float xs[kWidth], alphas[kWidth], sums[kWidth];
    x.store_unaligned(xs);
    alpha.store_unaligned(alphas);
    beta.store_unaligned(sums);
    for (int i = 0; i < kWidth; ++i)
      sums[i] = static_cast<float>(static_cast<double>(alphas[i]) * static_cast<double>(xs[i]) +
                                   static_cast<double>(sums[i]));
    return Vector::load_unaligned(sums);
#endif
  }

  static Mask is_nan(Float x) { return xsimd::isnan(x); }
  static Float select(Mask mask, Float yes, Float no) { return xsimd::select(mask, yes, no); }

  template <int by>
  static Bits shift_right(Bits value) {
    return std::bit_cast<Words>(std::bit_cast<UnsignedWords>(value) >> by);
  }
  template <int by>
  static Float signed_shift_to_float(Bits value) {
    return xsimd::to_float(value >> by);
  }
};

using VectorFormulas = Formulas<VectorArithmetic>;

// The addresses of one row in each space.
struct Row {
  float* base[kPortableSpaces];

  Row(const PortableRows& rows, std::int64_t r) {
    for (int s = 0; s < kPortableSpaces; ++s) base[s] = rows.base[s] + r * rows.stride[s];
  }
  float* at(const PortablePlace& place) const { return base[static_cast<int>(place.space)] + place.offset; }
};

// ---- products

// Computes `rows` rows times `blocks` blocks of units with as many accumulators as fit in registers. Each accumulator
// is one chain of multiply-adds from its start over ascending columns.
template <int blocks, int rows>
void product_tile(const PortableOp& op, const PortableRows& all, std::int64_t first_row, const float* weights,
                  std::int64_t column_stride, std::int64_t first_unit) {
  constexpr int kVectors = blocks * kPortableLanes / kWidth;
  const float* x[rows];
  Vector sums[rows][kVectors];
  for (int r = 0; r < rows; ++r) {
    const Row row(all, first_row + r);
    const PortablePlace& from = op.operands[1];
    const float* start = row.at(from);
    x[r] = row.at(op.operands[0]);
    for (int v = 0; v < kVectors; ++v)
      sums[r][v] = from.spread ? Vector(*start) : Vector::load_unaligned(start + first_unit + v * kWidth);
  }
  for (std::int64_t k = 0; k < op.columns; ++k, weights += column_stride) {
    Vector column[kVectors];
    for (int v = 0; v < kVectors; ++v) column[v] = Vector::load_unaligned(weights + v * kWidth);
    for (int r = 0; r < rows; ++r) {
      const Vector factor(x[r][k]);
      for (int v = 0; v < kVectors; ++v) sums[r][v] = multiply_add(column[v], factor, sums[r][v]);
    }
  }
  for (int r = 0; r < rows; ++r) {
    float* to = Row(all, first_row + r).at(op.to) + first_unit;
    for (int v = 0; v < kVectors; ++v) sums[r][v].store_unaligned(to + v * kWidth);
  }
}

// Computes all rows of blocks that lie side by side: `rows` at a time, then the remaining rows with smaller tiles.
template <int blocks, int rows>
void product_rows(const PortableOp& op, const PortableRows& all, std::int64_t first_row, const float* weights,
                  std::int64_t column_stride, std::int64_t first_unit) {
  for (; all.count - first_row >= rows; first_row += rows)
    product_tile<blocks, rows>(op, all, first_row, weights, column_stride, first_unit);
  if constexpr (rows > 1) product_rows<blocks, rows - 1>(op, all, first_row, weights, column_stride, first_unit);
}

// The accumulators of a tile share the registers with the weights of a column and a broadcast: 24 of 32 registers are
// accumulators, or 12 of 16.
constexpr int kManyBlocks = kWidth == 16 ? 4 : kWidth == 8 ? 2 : 1;
constexpr int kManyRows = kWidth == 16 ? 6 : 3;
constexpr int kSingleBlocks = kWidth == 4 ? 2 : 4;  // blocks of one row: enough chains to hide the latency of each

template <int blocks, int rows>
std::int64_t product_blocks(const PortableOp& op, const PortableRows& all, const float* group, std::int64_t together,
                            std::int64_t block, std::int64_t first_block) {
  for (; together - block >= blocks; block += blocks)
    product_rows<blocks, rows>(op, all, 0, group + block * kPortableLanes, together * kPortableLanes,
                               (first_block + block) * kPortableLanes);
  return block;
}

void product(const PortableOp& op, const PortableRows& all) noexcept {
  const float* panel = all.base[static_cast<int>(PortableSpace::Weights)] + op.operands[2].offset;
  const std::int64_t blocks = (op.size + kPortableLanes - 1) / kPortableLanes;
  for (std::int64_t first = 0; first < blocks; first += kPortableTogether) {
    const std::int64_t together = blocks - first < kPortableTogether ? blocks - first : kPortableTogether;
    const float* group = panel + first * kPortableLanes * op.columns;
    std::int64_t block = 0;
    if (all.count == 1) {
      block = product_blocks<kSingleBlocks, 1>(op, all, group, together, block, first);
      block = product_blocks<2, 1>(op, all, group, together, block, first);
      product_blocks<1, 1>(op, all, group, together, block, first);
    } else {
      block = product_blocks<kManyBlocks, kManyRows>(op, all, group, together, block, first);
      product_blocks<1, kManyRows>(op, all, group, together, block, first);
    }
  }
}

// ---- the other operations

template <Function function>
void map(const PortableOp& op, const Row& row) {
  constexpr int kArity = arity(function);
  alignas(kCacheLineBytes) float spread[kArity][kWidth];
  const float* from[kArity];
  std::int64_t stride[kArity];
  for (int k = 0; k < kArity; ++k) {
    const PortablePlace& place = op.operands[static_cast<std::size_t>(k)];
    from[k] = row.at(place);
    stride[k] = kWidth;
    if (!place.spread) continue;
    Vector(*from[k]).store_aligned(spread[k]);
    from[k] = spread[k];
    stride[k] = 0;
  }
  float* to = row.at(op.to);
  for (std::int64_t i = 0; i < op.size; i += kWidth) {
    Vector operands[kArity];
    for (int k = 0; k < kArity; ++k) {
      operands[k] = Vector::load_unaligned(from[k]);
      from[k] += stride[k];
    }
    VectorFormulas({}).evaluate<function>(operands).store_unaligned(to + i);
  }
}

void copy(const PortableOp& op, const Row& row) {
  const float* from = row.at(op.operands[0]);
  float* to = row.at(op.to);
  if (!op.operands[0].spread)
    std::memcpy(to, from, static_cast<std::size_t>(bytes_of(kRowFormat, op.size)));
  else
    for (std::int64_t i = 0; i < op.size; ++i) to[i] = *from;
}

// The result is a row of NaN if the index is out of range.
void lookup(const PortableOp& op, const Row& row) {
  const float index = *row.at(op.operands[1]);
  float* to = row.at(op.to);
  const bool exists = index >= 0 && index < static_cast<float>(op.rows) &&
                      static_cast<float>(static_cast<std::int64_t>(index)) == index;
  if (!exists) {
    for (std::int64_t i = 0; i < op.size; ++i) to[i] = std::numeric_limits<float>::quiet_NaN();
    return;
  }
  const float* from = row.at(op.operands[0]) + static_cast<std::int64_t>(index) * op.columns;
  std::memcpy(to, from, static_cast<std::size_t>(bytes_of(kRowFormat, op.size)));
}

// Combines the 16 partial results in a fixed tree: lanes j and j + 8, then j + 4, j + 2, j + 1.
template <class Combine>
void reduce(const PortableOp& op, const Row& row, float start, const Combine& combine) {
  constexpr int kVectors = kPortableLanes / kWidth;
  const float* from = row.at(op.operands[0]);
  Vector sums[kVectors];
  for (Vector& each : sums) each = Vector(start);
  std::int64_t i = 0;
  for (; i + kPortableLanes <= op.size; i += kPortableLanes)
    for (int v = 0; v < kVectors; ++v) sums[v] = combine(sums[v], Vector::load_unaligned(from + i + v * kWidth));
  alignas(kCacheLineBytes) float last[kPortableLanes];
  for (int lane = 0; lane < kPortableLanes; ++lane) last[lane] = i + lane < op.size ? from[i + lane] : start;
  for (int v = 0; v < kVectors; ++v)
    combine(sums[v], Vector::load_aligned(last + v * kWidth)).store_aligned(last + v * kWidth);
  for (int width = kPortableLanes / 2; width >= 1; width /= 2)
    for (int lane = 0; lane < width; ++lane) {
      const Vector both = combine(Vector(last[lane]), Vector(last[lane + width]));
      alignas(kCacheLineBytes) float values[kWidth];
      both.store_aligned(values);
      last[lane] = values[0];
    }
  *row.at(op.to) = last[0];
}

void argmax(const PortableOp& op, const Row& row) {
  const float* from = row.at(op.operands[0]);
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < op.size && from[best] == from[best]; ++i)
    if (from[i] > from[best] || from[i] != from[i]) best = i;
  *row.at(op.to) = static_cast<float>(best);
}

void one(const PortableOp& op, const Row& row) {
  switch (op.kind) {
    case PortableOp::Kind::Map:
      return with_function(op.function, [&](auto function) { map<decltype(function)::value>(op, row); });
    case PortableOp::Kind::Copy: return copy(op, row);
    case PortableOp::Kind::Product:
    case PortableOp::Kind::Quantize:
    case PortableOp::Kind::IntegerProduct: return;  // other functions run these
    case PortableOp::Kind::Lookup: return lookup(op, row);
    case PortableOp::Kind::Sum: return reduce(op, row, 0, [](Vector a, Vector b) { return a + b; });
    case PortableOp::Kind::Max:
      return reduce(op, row, -std::numeric_limits<float>::infinity(),
                    [](Vector a, Vector b) { return VectorFormulas({}).maximum(a, b); });
    case PortableOp::Kind::Argmax: return argmax(op, row);
  }
}

void others(std::span<const PortableOp> ops, const PortableRows& rows) noexcept {
  for (std::int64_t r = 0; r < rows.count; ++r) {
    const Row row(rows, r);
    for (const PortableOp& op : ops) one(op, row);
  }
}

}  // namespace
}  // namespace rnnc::runtime
