// This source builds the portable executor's operations with AVX-512 (runtime/CMakeLists.txt sets the flags).
#include "runtime/portable_simd.hpp"

#if defined(__x86_64__)
namespace rnnc::runtime {
const PortableKernels kPortableAvx512 = {"x86-64-v4", product, others};
}
#endif
