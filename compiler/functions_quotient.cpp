// tanh and erf as quotients of polynomials with one true division, and gelu on top of erf.
#include "compiler/functions.hpp"

namespace rnnc::compiler {
namespace {

using llvm::Value;

// All coefficients: scripts/fit_functions.py.
// tanh x = x (1 + x^2 P(x^2)) / Q(x^2) for |x| <= kTanhBound.
constexpr float kTanhBound = 9.05f;
constexpr float kTanhP[] = {0x1.1209ap-3f, 0x1.ca218p-9f, 0x1.59afep-16f, 0x1.caae58p-27f};
constexpr float kTanhQ[] = {0x1p+0f, 0x1.de5a1cp-2f, 0x1.a7f28ep-6f, 0x1.5878b4p-12f, 0x1.a16068p-21f};

// erf x = x (1 + x^2 P(x^2)) / Q(x^2) for |x| <= kErfBound.
constexpr float kErfBound = 3.95f;
constexpr float kErfP[] = {0x1.20dd74p+0f, 0x1.9aa18ap-3f,  0x1.ba7774p-5f,
                           0x1.1180c6p-8f, 0x1.2fc80ap-12f, 0x1.019e18p-19f};
constexpr float kErfQ[] = {0x1p+0f, 0x1.05a4d8p-1f, 0x1.e43616p-4f, 0x1.02cf02p-6f, 0x1.486cf8p-10f, 0x1.363874p-15f};

}  // namespace

// x P(x^2) / Q(x^2) with P(0) = 1. The first coefficients are added last, so that for small x only three roundings count;
// x is multiplied in on the way, so that numerator and denominator are ready at the same time.
Value* FunctionEmitter::odd_quotient(Value* x, std::span<const float> p, std::span<const float> q) {
  Value* const y = builder_.CreateFMul(x, x);
  Value* const y_squared = builder_.CreateFMul(y, y);
  Value* const numerator = fma(polynomial(y, y_squared, p), builder_.CreateFMul(x, y), x);
  Value* const denominator = fma(polynomial(y, y_squared, q.subspan(1)), y, splat(q[0]));
  return builder_.CreateFDiv(numerator, denominator);
}

Value* FunctionEmitter::tanh(Value* x) { return odd_quotient(clamp(-kTanhBound, x, kTanhBound), kTanhP, kTanhQ); }

Value* FunctionEmitter::erf(Value* x) { return odd_quotient(clamp(-kErfBound, x, kErfBound), kErfP, kErfQ); }

Value* FunctionEmitter::gelu(Value* x) {
  Value* const half = builder_.CreateFMul(x, splat(0.5f));
  return fma(half, erf(builder_.CreateFMul(x, splat(0x1.6a09e6p-1f))), half);  // 1 / sqrt 2
}

}  // namespace rnnc::compiler
