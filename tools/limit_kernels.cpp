#include "tools/limit_kernels.hpp"

#include <algorithm>

namespace rnnc::tools {
namespace {

// Independent chains keep the pipes for multiply-adds busy: two pipes of latency 4 need 8, two of latency 5 need 10.
constexpr int kChains = 12;
constexpr int kReadChains = 8;

// These are vectors of the compiler's own kind: inlined into a function with a target attribute, they take that
// target's registers and its fused multiply-add. The factors are unknown to the compiler, so it keeps every operation.
template <int kLanes>
struct Vector {
  typedef float Type __attribute__((vector_size(4 * kLanes)));
};

volatile float factor = 0.999f, addend = 1e-3f;

// Returns a number that depends on all chains, so that no compiler leaves one out.
template <int kLanes, int kCount>
[[gnu::always_inline]] inline float ends_of_sum(const typename Vector<kLanes>::Type (&chains)[kCount]) {
  typename Vector<kLanes>::Type sum{};
#pragma GCC unroll 12
  for (int k = 0; k < kCount; ++k) sum += chains[k];
  return sum[0] + sum[kLanes - 1];
}

template <int kLanes>
[[gnu::always_inline]] inline float multiply_add(std::int64_t rounds) {
  using V = typename Vector<kLanes>::Type;
  const V m = V{} + factor, c = V{} + addend;
  V a[kChains];
#pragma GCC unroll 12
  for (int k = 0; k < kChains; ++k) a[k] = V{} + static_cast<float>(k);
  for (std::int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (int k = 0; k < kChains; ++k) a[k] = a[k] * m + c;
  }
  return ends_of_sum<kLanes>(a);
}

template <int kLanes>
[[gnu::always_inline]] inline float read(const float* data, std::int64_t floats, std::int64_t rounds) {
  using V = typename Vector<kLanes>::Type;
  const V m = V{} + factor;
  V a[kReadChains];
#pragma GCC unroll 8
  for (int k = 0; k < kReadChains; ++k) a[k] = V{};
  for (std::int64_t i = 0; i < rounds; ++i) {
    for (std::int64_t j = 0; j < floats; j += kReadChains * kLanes) {
      const V* from = reinterpret_cast<const V*>(data + j);
#pragma GCC unroll 8
      for (int k = 0; k < kReadChains; ++k) a[k] = from[k] * m + a[k];
    }
  }
  return ends_of_sum<kLanes>(a);
}

template <int kLanes>
[[gnu::always_inline]] inline float chain(std::int64_t multiply_adds) {
  using V = typename Vector<kLanes>::Type;
  const V m = V{} + factor, c = V{} + addend;
  V a{};
#pragma GCC unroll 8
  for (std::int64_t i = 0; i < multiply_adds; ++i) a = a * m + c;
  return a[0] + a[kLanes - 1];
}

template <int kLanes>
[[gnu::always_inline]] inline float step(const float* data, std::int64_t columns, std::int64_t rounds) {
  using V = typename Vector<kLanes>::Type;
  constexpr std::int64_t kRow = 128;  // the elements of the row, which the columns go over again and again
  alignas(64) float row[kRow];
  for (float& element : row) element = factor;
  V a[kColumnVectors];
#pragma GCC unroll 12
  for (int k = 0; k < kColumnVectors; ++k) a[k] = V{};
  for (std::int64_t i = 0; i < rounds; ++i) {
    const V* from = reinterpret_cast<const V*>(data);
    for (std::int64_t left = columns; left > 0; left -= kRow) {
      const float* const end = row + std::min(left, kRow);
      for (const float* element = row; element < end; ++element, from += kColumnVectors) {
        const V x = V{} + *element;
#pragma GCC unroll 12
        for (int k = 0; k < kColumnVectors; ++k) a[k] = from[k] * x + a[k];
      }
    }
  }
  return ends_of_sum<kLanes>(a);
}

template <int kLanes>
constexpr double kFlops = 2.0 * kLanes* kChains;

float multiply_add_any(std::int64_t rounds) { return multiply_add<4>(rounds); }
float read_any(const float* data, std::int64_t floats, std::int64_t rounds) { return read<4>(data, floats, rounds); }
float chain_any(std::int64_t multiply_adds) { return chain<4>(multiply_adds); }
float step_any(const float* data, std::int64_t columns, std::int64_t rounds) { return step<4>(data, columns, rounds); }

#if defined(__x86_64__)
[[gnu::target("avx2,fma")]] float multiply_add_avx2(std::int64_t rounds) { return multiply_add<8>(rounds); }
[[gnu::target("avx2,fma")]] float read_avx2(const float* data, std::int64_t floats, std::int64_t rounds) {
  return read<8>(data, floats, rounds);
}
[[gnu::target("avx2,fma")]] float chain_avx2(std::int64_t multiply_adds) { return chain<8>(multiply_adds); }
[[gnu::target("avx2,fma")]] float step_avx2(const float* data, std::int64_t columns, std::int64_t rounds) {
  return step<8>(data, columns, rounds);
}
[[gnu::target("avx512f")]] float multiply_add_avx512(std::int64_t rounds) { return multiply_add<16>(rounds); }
[[gnu::target("avx512f")]] float read_avx512(const float* data, std::int64_t floats, std::int64_t rounds) {
  return read<16>(data, floats, rounds);
}
[[gnu::target("avx512f")]] float chain_avx512(std::int64_t multiply_adds) { return chain<16>(multiply_adds); }
[[gnu::target("avx512f")]] float step_avx512(const float* data, std::int64_t columns, std::int64_t rounds) {
  return step<16>(data, columns, rounds);
}
#endif

}  // namespace

LimitKernels limit_kernels() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f"))
    return {kFlops<16>, multiply_add_avx512, read_avx512, 16, chain_avx512, step_avx512};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return {kFlops<8>, multiply_add_avx2, read_avx2, 8, chain_avx2, step_avx2};
#endif
  return {kFlops<4>, multiply_add_any, read_any, 4, chain_any, step_any};
}

std::int64_t count_cycles(std::int64_t additions) {
  std::int64_t sum = 0, one = 1;
  asm volatile("" : "+r"(one));
#pragma GCC unroll 8
  for (std::int64_t i = 0; i < additions; ++i) {
    sum += one;
    asm volatile("" : "+r"(sum));  // keeps the compiler from adding several at once
  }
  return sum;
}

}  // namespace rnnc::tools
