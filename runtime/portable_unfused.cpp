// This source builds the portable executor's operations without fused multiply-adds for CPUs whose base instruction set
// has them. That of x86-64 has none: there, portable_baseline.cpp is what programs of integers run.
#if !defined(__x86_64__)
#define RNNC_UNFUSED
#include "runtime/portable_simd.hpp"

namespace rnnc::runtime {

const PortableKernels kPortableUnfused = {"generic", product, others};

}  // namespace rnnc::runtime
#endif
