// This source builds the sum of outer products for CPUs without AVX2, and for CPUs other than x86-64.
#include "compiler/gradient/outer_levels.hpp"
#include "compiler/gradient/outer_simd.hpp"

namespace rnnc::compiler {
const AddOuterProducts kOuterBaseline = add_outer_products;
}
