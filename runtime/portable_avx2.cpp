#include "runtime/portable_simd.hpp"

#if defined(__x86_64__)
namespace rnnc::runtime {
const PortableKernels kPortableAvx2 = {"x86-64-v3", product, others};
}
#endif
