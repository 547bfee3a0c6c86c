// The widest vectors of the instruction set that a source is built for. Everything here has internal linkage: the
// linker keeps one of several equal inline functions, which could be one that the machine cannot run.
#pragma once

#include <xsimd/xsimd.hpp>

namespace rnnc::runtime {
namespace {

using Vector = xsimd::batch<float>;

constexpr int kWidth = static_cast<int>(Vector::size);

// a * b + c, with one rounding if the CPU has fused multiply-add, unless RNNC_UNFUSED asks for two.
inline Vector multiply_add(Vector a, Vector b, Vector c) {
#if defined(RNNC_UNFUSED)
  return a * b + c;
#elif defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);  // for AVX-512, xsimd 8 multiplies and adds
#else
  return xsimd::fma(a, b, c);
#endif
}

}  // namespace
}  // namespace rnnc::runtime
