// This source builds the portable executor's operations for CPUs without AVX2, and for CPUs other than x86-64.
#include "runtime/portable_simd.hpp"

namespace rnnc::runtime {

#if defined(__x86_64__)
const PortableKernels kPortableBaseline = {"x86-64-v2", product, others};
#else
const PortableKernels kPortableBaseline = {"generic", product, others};
#endif

}  // namespace rnnc::runtime
