// The functions that the sources of the instruction sets define.
#pragma once

#include "compiler/gradient/outer_products.hpp"

namespace rnnc::compiler {

extern const AddOuterProducts kOuterBaseline;
#if defined(__x86_64__)
extern const AddOuterProducts kOuterAvx2, kOuterAvx512;
#endif

}  // namespace rnnc::compiler
