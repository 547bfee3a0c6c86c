// erf and gelu, from a polynomial for small operands and the logarithm of erfc for the others.
#include "compiler/functions.hpp"

namespace rnnc::compiler {
namespace {

using llvm::Value;

// All coefficients and their errors: scripts/fit_functions.py.
constexpr float kSplit = 0.85f;

// erf a = a + a p(a^2) for a <= kSplit; 6.8e-9 relative.
constexpr float kErf[] = {0x1.06eba8p-3f,  -0x1.812726p-2f, 0x1.ce256ap-4f,
                          -0x1.b735eap-6f, 0x1.4b763p-8f,   -0x1.4cd86p-11f};

// log(erfc a) for kSplit <= a <= 4, where erfc stays below half a unit in the last place of 1; 5.1e-9 relative to the
// square root of erfc. Beyond 4 it falls on, which takes erfc to 0.
constexpr float kLogErfc[] = {0x1.a82974p-14f, -0x1.21116cp+0f, -0x1.449cf4p-1f, -0x1.b8b194p-4f,
                              0x1.94c294p-6f,  -0x1.07defap-8f, 0x1.ab2f6cp-12f, -0x1.3eca38p-16f};

}  // namespace

FunctionEmitter::ErrorFunction FunctionEmitter::error_function(Value* x) {
  Value* const a = minimum(splat(10), abs(x));
  Value* const a_squared = builder_.CreateFMul(a, a);
  Value* const small = polynomial(a_squared, builder_.CreateFMul(a_squared, a_squared), kErf);
  Value* const logarithm = polynomial(a, a_squared, kLogErfc);
  Value* const complement = exp_of_negative(maximum(splat(-88), logarithm));
  return {fma(a, small, a), complement, builder_.CreateFCmpOGT(a, splat(kSplit))};
}

Value* FunctionEmitter::erf(Value* x) {
  const ErrorFunction f = error_function(x);
  return copy_sign(builder_.CreateSelect(f.is_large, builder_.CreateFSub(splat(1), f.complement), f.small), x);
}

// x / 2 (1 + erf(x / sqrt 2)), where the sum is erfc for negative x.
Value* FunctionEmitter::gelu(Value* x) {
  Value* const scaled = builder_.CreateFMul(x, splat(0x1.6a09e6p-1f));  // 1 / sqrt 2
  const ErrorFunction f = error_function(scaled);
  Value* const negative = builder_.CreateFCmpOLT(x, splat(0));
  Value* const large = builder_.CreateSelect(negative, f.complement, builder_.CreateFSub(splat(2), f.complement));
  Value* const small = builder_.CreateFAdd(splat(1), copy_sign(f.small, x));
  Value* const sum = builder_.CreateSelect(f.is_large, large, small);
  return builder_.CreateFMul(builder_.CreateFMul(x, splat(0.5f)), sum);
}

}  // namespace rnnc::compiler
