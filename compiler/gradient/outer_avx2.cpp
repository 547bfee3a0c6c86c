// This source builds the sum of outer products with AVX2 and FMA (compiler/CMakeLists.txt sets the flags).
#include "compiler/gradient/outer_levels.hpp"

#if defined(__x86_64__)
#include "compiler/gradient/outer_simd.hpp"

namespace rnnc::compiler {
const AddOuterProducts kOuterAvx2 = add_outer_products;
}
#endif
