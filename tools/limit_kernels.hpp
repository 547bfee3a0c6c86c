// The features of this machine select the loops that tools/limits.cpp times, for the widest vectors that the machine
// has. The program itself is built for any CPU.
#pragma once

#include <cstdint>

namespace rnnc::tools {

struct LimitKernels {
  double flops = 0;  // those of one round of multiply_add
  float (*multiply_add)(std::int64_t rounds) = nullptr;
  /// Reads `floats` (a multiple of 128) from `data` (aligned to 64 bytes) `rounds` times.
  float (*read)(const float* data, std::int64_t floats, std::int64_t rounds) = nullptr;
};

LimitKernels limit_kernels();

}  // namespace rnnc::tools
