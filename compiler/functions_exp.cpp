// exp and log and what is built on them. A power 2^n is made by shifting n into the exponent field: adding kMagic to a
// small number rounds it to the nearest integer and leaves that integer in the low bits of the sum. NaN goes through
// the polynomial, which multiplies the power, so the garbage that the shift makes of a NaN does not matter.
#include <llvm/IR/Constants.h>

#include <cmath>
#include <limits>

#include "compiler/functions.hpp"

namespace rnnc::compiler {
namespace {

using llvm::Value;

constexpr float kMagic = 0x1.8p23f;
constexpr float kLog2E = 0x1.715476p+0f;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

constexpr float kLn2 = 0x1.62e43p-1f;

// ln 2 in two parts. The first has 16 bits, so its product with an exponent is exact without fused multiply-add too.
constexpr float kLn2High = 0x1.62e4p-1f;
constexpr float kLn2Low = 0x1.7f7d1cp-20f;

// All coefficients and their errors: scripts/fit_functions.py.
// expm1 r = r + r^2 q(r) for |r| <= 0.3467; 1.4e-8 relative.
constexpr float kExpm1[] = {0x1.fffffep-2f, 0x1.5554b4p-3f, 0x1.5556f2p-5f, 0x1.122546p-7f, 0x1.6b9c72p-10f};

// exp(-r) for |r| <= 0.3467; 9.2e-8 relative.
constexpr float kLogistic[] = {0x1p+0f,         -0x1.fffff6p-1f, 0x1.fffdc4p-2f,
                               -0x1.555a84p-3f, 0x1.573adp-5f,   -0x1.0f9dccp-7f};

// tanh r = r + r^3 q(r^2) for |r| <= 0.1734; 5.5e-8 relative.
constexpr float kTanh[] = {-0x1.554fecp-2f, 0x1.0c8094p-3f};

// log1p f = f - f^2 / 2 + f^3 q(f) for sqrt(1/2) - 1 <= f <= sqrt 2 - 1; 5.8e-9 relative.
constexpr float kLog[] = {0x1.555554p-2f, -0x1.000226p-2f, 0x1.99a01ap-3f, -0x1.547288p-3f,
                          0x1.22d96ap-3f, -0x1.0d829cp-3f, 0x1.055d18p-3f, -0x1.38c37ep-4f};

// log1p e = e q(e) for 0 <= e <= 1; 5.3e-9 relative.
constexpr float kLog1p[] = {0x1p+0f,         -0x1.ffffd2p-2f, 0x1.554dd4p-2f,  -0x1.ff249ep-3f, 0x1.93510ap-3f,
                            -0x1.3a596cp-3f, 0x1.b50ae6p-4f,  -0x1.d78a7ep-5f, 0x1.4a23ap-6f,   -0x1.b1630ep-9f};

}  // namespace

// With `negated`, n and thus the power belong to -x, while r stays that of x.
FunctionEmitter::Reduced FunctionEmitter::reduce(Value* x, int bias, bool negated) {
  const float sign = negated ? -1.f : 1.f;
  Value* const magic = splat(kMagic + static_cast<float>(bias));
  Value* const biased = fma(x, splat(sign * kLog2E), magic);
  Value* const n = builder_.CreateFSub(biased, magic);
  Value* const r = fma(n, splat(-sign * kLn2Low), fma(n, splat(-sign * kLn2High), x));
  return {r, as_integer(biased)};
}

Value* FunctionEmitter::power_of_two(Value* biased) { return as_float(builder_.CreateShl(biased, integer(23))); }

Value* FunctionEmitter::reduced_expm1(Value* r) {
  Value* const r_squared = builder_.CreateFMul(r, r);
  return fma(polynomial(r, r_squared, kExpm1), r_squared, r);
}

// (1 + exp(-x)) * 2^scale_exponent. Beyond the bounds, which the caller chooses so that the exponent field stays within
// 0 (the power is 0) and 255 (it is infinite), the result does not change.
Value* FunctionEmitter::scaled_logistic(Value* x, float low, float high, int scale_exponent) {
  const Reduced reduced = reduce(clamp(low, x, high), 127 + scale_exponent, true);
  Value* const r = reduced.r;
  Value* const exp_r = polynomial(r, builder_.CreateFMul(r, r), kLogistic);
  return fma(exp_r, power_of_two(reduced.biased), splat(std::ldexp(1.f, scale_exponent)));
}

Value* FunctionEmitter::sigmoid(Value* x) { return builder_.CreateFDiv(splat(1), scaled_logistic(x, -89.f, 88.f, 0)); }

// tanh(b + r) with b = n ln 2 / 2 by the addition theorem: tanh b = (s - 1) / (s + 1) with s = 2^n, so
// tanh(b + r) = (s - 1 + u (s + 1)) / (s + 1 + u (s - 1)) with u = tanh r. An error of u fades as tanh nears 1; the
// numerator never exceeds the denominator, and they are equal at the bound. One part of ln 2 / 2 will do.
FunctionEmitter::Quotient FunctionEmitter::tanh_quotient(Value* x) {
  Value* const a = minimum(splat(9.02f), abs(x));
  Value* const magic = splat(kMagic + 127);
  Value* const biased = fma(a, splat(2 * kLog2E), magic);
  Value* const r = fma(builder_.CreateFSub(biased, magic), splat(-kLn2 / 2), a);
  Value* const r_squared = builder_.CreateFMul(r, r);
  Value* const u = fma(polynomial(r_squared, nullptr, kTanh), builder_.CreateFMul(r, r_squared), r);
  Value* const s = power_of_two(as_integer(biased));
  Value* const above = builder_.CreateFAdd(s, splat(1));
  Value* const below = builder_.CreateFSub(s, splat(1));
  return {copy_sign(fma(u, above, below), x), fma(u, below, above)};
}

Value* FunctionEmitter::tanh(Value* x) {
  const Quotient quotient = tanh_quotient(x);
  return builder_.CreateFDiv(quotient.numerator, quotient.denominator);
}

bool FunctionEmitter::is_quotient(ir::Function function) {
  return function == ir::Function::Sigmoid || function == ir::Function::Tanh;
}

FunctionEmitter::Quotient FunctionEmitter::quotient(ir::Function function, Value* x) {
  if (function == ir::Function::Tanh) return tanh_quotient(x);
  return {nullptr, scaled_logistic(x, -89.f, 88.f, 0)};
}

Value* FunctionEmitter::multiply(const Quotient& a, const Quotient& b) {
  Value* numerator = a.numerator ? a.numerator : b.numerator ? b.numerator : splat(1);
  if (a.numerator && b.numerator) numerator = builder_.CreateFMul(a.numerator, b.numerator);
  return builder_.CreateFDiv(numerator, builder_.CreateFMul(a.denominator, b.denominator));
}

Value* FunctionEmitter::multiply(Value* value, const Quotient& quotient) {
  return builder_.CreateFDiv(value, quotient.denominator);
}

// x sigmoid(x) stays above the smallest normal number down to x = -91.8, where exp(-x) is beyond f32: everything is
// scaled by 2^-8, and above 64, where the scaled quotient might be too large, the result is x.
Value* FunctionEmitter::silu(Value* x) {
  Value* const quotient = builder_.CreateFDiv(x, scaled_logistic(x, -94.4f, 80.f, -8));
  Value* const large = builder_.CreateFCmpOGT(x, splat(64));
  return builder_.CreateSelect(large, x, builder_.CreateFMul(quotient, splat(0x1p-8f)));
}

// The power is taken in two halves, so that results near the largest float and denormal ones come out right.
Value* FunctionEmitter::exp(Value* x) {
  const Reduced reduced = reduce(clamp(-104.f, x, 89.f), 254);
  Value* const half = builder_.CreateLShr(reduced.biased, integer(1));
  Value* const first = power_of_two(half);
  Value* const second = power_of_two(builder_.CreateSub(reduced.biased, half));
  Value* const exp_r = builder_.CreateFAdd(reduced_expm1(reduced.r), splat(1));
  return builder_.CreateFMul(builder_.CreateFMul(exp_r, first), second);
}

// x = 2^e (1 + f) with 1 + f within sqrt 2 of 1: the integer part of the bits above those of sqrt(1/2) is e.
Value* FunctionEmitter::log(Value* x) {
  Value* const root = integer(0x3f3504f3);
  Value* const above = builder_.CreateSub(as_integer(x), root);
  Value* const e = builder_.CreateSIToFP(builder_.CreateAShr(above, integer(23)), float_type_);
  Value* const mantissa = builder_.CreateAdd(builder_.CreateAnd(above, integer(0x007fffff)), root);
  Value* const f = builder_.CreateFSub(as_float(mantissa), splat(1));
  Value* const f_squared = builder_.CreateFMul(f, f);
  Value* tail = builder_.CreateFMul(builder_.CreateFMul(f, f_squared), polynomial(f, f_squared, kLog));
  tail = fma(e, splat(kLn2Low), tail);
  tail = fma(f_squared, splat(-0.5f), tail);
  Value* const finite = fma(e, splat(kLn2High), builder_.CreateFAdd(f, tail));

  Value* const result = builder_.CreateSelect(builder_.CreateFCmpOLT(x, splat(kInfinity)), finite, x);
  Value* const negative = builder_.CreateFCmpOLT(x, splat(0));
  Value* const special =
      builder_.CreateSelect(negative, splat(std::numeric_limits<float>::quiet_NaN()), splat(-kInfinity));
  return builder_.CreateSelect(builder_.CreateFCmpOLT(x, splat(0x1p-126f)), special, result);
}

// For -88 <= x <= 0; 0 at the lower end.
Value* FunctionEmitter::exp_of_negative(Value* x) {
  const Reduced reduced = reduce(x, 127);
  return builder_.CreateFMul(power_of_two(reduced.biased), builder_.CreateFAdd(reduced_expm1(reduced.r), splat(1)));
}

// max(x, 0) + log1p(exp(-|x|))
Value* FunctionEmitter::softplus(Value* x) {
  Value* const e = exp_of_negative(builder_.CreateFNeg(minimum(splat(88), abs(x))));
  return fma(e, polynomial(e, builder_.CreateFMul(e, e), kLog1p), maximum(splat(0), x));
}

// expm1 x = 2^n expm1 r + (2^n - 1); what this is for large x is garbage that the selection drops.
Value* FunctionEmitter::elu(Value* x, Value* alpha) {
  const Reduced reduced = reduce(maximum(splat(-87), x), 127);
  Value* const power = power_of_two(reduced.biased);
  Value* const expm1 = fma(power, reduced_expm1(reduced.r), builder_.CreateFSub(power, splat(1)));
  Value* const positive = builder_.CreateFCmpOGT(x, splat(0));
  return propagate_nan(alpha, builder_.CreateSelect(positive, x, builder_.CreateFMul(alpha, expm1)));
}

}  // namespace rnnc::compiler
