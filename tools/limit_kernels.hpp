// The features of this machine select the loops that tools/limits.cpp and tools/measure_core.cpp time, for the widest
// vectors that the machine has. The program itself is built for any CPU.
#pragma once

#include <cstdint>

namespace rnnc::tools {

struct LimitKernels {
  double flops = 0;  // those of one round of multiply_add
  float (*multiply_add)(std::int64_t rounds) = nullptr;
  /// Reads `floats` (a multiple of 128) from `data` (aligned to 64 bytes) `rounds` times.
  float (*read)(const float* data, std::int64_t floats, std::int64_t rounds) = nullptr;
  int lanes = 0;  // the f32 numbers in a vector
  /// Does as many multiply-adds of vectors, each of which needs the one before.
  float (*chain)(std::int64_t multiply_adds) = nullptr;
  /// Reads `columns` of kColumnVectors vectors from `data` `rounds` times as a step does: a column is multiplied by an
  /// element of a row, which is loaded too, and added to as many accumulators.
  float (*step)(const float* data, std::int64_t columns, std::int64_t rounds) = nullptr;
};

/// A step of the widest plans has so many accumulators (compiler/schedule/plan_stage.cpp).
inline constexpr int kColumnVectors = 12;

/// Does as many additions of integers, each of which needs the one before and takes a cycle.
std::int64_t count_cycles(std::int64_t additions);

LimitKernels limit_kernels();

}  // namespace rnnc::tools
