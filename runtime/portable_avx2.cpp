// This source builds the portable executor's operations with AVX2 and FMA (runtime/CMakeLists.txt sets the flags).
#include "runtime/portable_simd.hpp"

#if defined(__x86_64__)
namespace rnnc::runtime {
const PortableKernels kPortableAvx2 = {"x86-64-v3", product, others};
}
#endif
