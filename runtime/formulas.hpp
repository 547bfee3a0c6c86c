// This class computes each scalar function from IEEE operations, comparisons and integer arithmetic, without calls and
// without estimates. A formula is written once: `Arithmetic` either computes with vectors or emits code. So a value has
// the same bits for every lane count and every CPU with fused multiply-add. Results are right with denormals flushed,
// which is how kernels run, and sensible without. docs/numerics.md has the measured error of each function,
// scripts/fit_functions.py the origin of every coefficient.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "runtime/functions.hpp"

namespace rnnc::runtime {

/// The operations of an Arithmetic whose types have the operators of C++.
template <class FloatType, class BitsType, class MaskType>
struct Operators {
  using Float = FloatType;
  using Bits = BitsType;
  using Mask = MaskType;

  static Float splat(float constant) { return Float(constant); }
  static constexpr bool is_constant(const Float&) { return false; }

  static Float add(Float a, Float b) { return a + b; }
  static Float sub(Float a, Float b) { return a - b; }
  static Float mul(Float a, Float b) { return a * b; }
  static Float div(Float a, Float b) { return a / b; }
  static Mask less(Float a, Float b) { return a < b; }
  static Mask less_equal(Float a, Float b) { return a <= b; }
  static Mask greater(Float a, Float b) { return a > b; }

  static Bits as_bits(Float value) { return std::bit_cast<Bits>(value); }
  static Float as_float(Bits value) { return std::bit_cast<Float>(value); }
  static Bits add_bits(Bits a, Bits b) { return a + b; }
  static Bits sub_bits(Bits a, Bits b) { return a - b; }
  static Bits and_bits(Bits a, Bits b) { return a & b; }
  template <int by>
  static Bits shift_left(Bits value) {
    return value << by;
  }
};

/// `Arithmetic` has the types Float, Bits (32-bit integers) and Mask, and the operations that are used here under their
/// usual names; fma(a, b, c) is a * b + c with one rounding where the CPU has it, affine with one anywhere. It is empty
/// or cheap to copy.
template <class Arithmetic>
class Formulas {
 public:
  using Float = typename Arithmetic::Float;
  using Bits = typename Arithmetic::Bits;
  using Mask = typename Arithmetic::Mask;

  explicit Formulas(Arithmetic arithmetic) : a_(arithmetic) {}

  /// Numerics  meaning in ir/op.hpp, bound in functions.def; NaN propagates
  template <Function function>
  Float evaluate(const Float* operands) const {
    const Float x = operands[0];
    switch (function) {
      case Function::Add: return a_.add(x, operands[1]);
      case Function::Sub: return a_.sub(x, operands[1]);
      case Function::Mul: return a_.mul(x, operands[1]);
      case Function::Div: return a_.div(x, operands[1]);
      case Function::Neg: return a_.neg(x);
      case Function::Sigmoid: return a_.div(splat(1), logistic(x));
      case Function::Tanh: return tanh(x);
      case Function::Relu: return relu(x);
      case Function::Exp: return exp(x);
      case Function::Log: return log(x);
      case Function::Sqrt: return a_.sqrt(x);
      case Function::Rsqrt: return a_.div(splat(1), a_.sqrt(x));
      case Function::Abs: return a_.abs(x);
      case Function::Min: return minimum(x, operands[1]);
      case Function::Max: return maximum(x, operands[1]);
      case Function::Erf: return erf(x);
      case Function::Softplus: return softplus(x);
      case Function::Softsign: return a_.div(x, a_.add(splat(1), a_.abs(x)));
      case Function::Silu: return silu(x);
      case Function::Gelu: return gelu(x);
      case Function::Elu: return elu(x, operands[1]);
      case Function::LeakyRelu: return leaky_relu(x, operands[1]);
      case Function::ThresholdedRelu: return thresholded_relu(x, operands[1]);
      case Function::ScaledTanh: return a_.mul(operands[1], tanh(a_.mul(operands[2], x)));
      case Function::Affine: return a_.affine(x, operands[1], operands[2]);
      case Function::HardSigmoid: return hard_sigmoid(x, operands[1], operands[2]);
      case Function::Clip: return minimum(operands[2], maximum(operands[1], x));
      case Function::Select: return a_.select(a_.greater(x, operands[1]), operands[2], operands[3]);
      case Function::SigmoidMul: return a_.div(operands[1], logistic(x));
      case Function::SigmoidSigmoid: return a_.div(splat(1), a_.mul(logistic(x), logistic(operands[1])));
      case Function::SigmoidTanh: return sigmoid_tanh(x, operands[1]);
      case Function::TanhTanh: return tanh_tanh(x, operands[1]);
    }
    __builtin_unreachable();
  }

  // The comparison is false for NaN, so a NaN in the second operand is the result, as with maxps and minps. A constant
  // is put first, since the check that a NaN in the first operand needs is folded away for a constant.
  Float maximum(Float a, Float b) const {
    if (a_.is_constant(b)) return maximum_of(b, a);
    return maximum_of(a, b);
  }
  Float minimum(Float a, Float b) const {
    if (a_.is_constant(b)) return minimum_of(b, a);
    return minimum_of(a, b);
  }

 private:
  // A power 2^n is made by shifting n into the exponent field: adding kMagic to a small number rounds it to the nearest
  // integer and leaves that integer in the low bits of the sum. NaN goes through the polynomial, which multiplies the
  // power, so the garbage that the shift makes of a NaN does not matter.
  static constexpr float kMagic = 0x1.8p23f;
  static constexpr float kLog2E = 0x1.715476p+0f;
  static constexpr float kLn2 = 0x1.62e43p-1f;

  // ln 2 is split in two parts. The first has 16 bits, so its product with an exponent is exact without fused
  // multiply-add too.
  static constexpr float kLn2High = 0x1.62e4p-1f;
  static constexpr float kLn2Low = 0x1.7f7d1cp-20f;

  // expm1 r = r + r^2 q(r) for |r| <= 0.3467; 1.4e-8 relative.
  static constexpr float kExpm1[] = {0x1.fffffep-2f, 0x1.5554b4p-3f, 0x1.5556f2p-5f, 0x1.122546p-7f, 0x1.6b9c72p-10f};

  // exp(-r) for |r| <= 0.3467; 9.2e-8 relative.
  static constexpr float kLogistic[] = {0x1p+0f,         -0x1.fffff6p-1f, 0x1.fffdc4p-2f,
                                        -0x1.555a84p-3f, 0x1.573adp-5f,   -0x1.0f9dccp-7f};

  // tanh r = r + r^3 q(r^2) for |r| <= 0.1734; 5.5e-8 relative.
  static constexpr float kTanh[] = {-0x1.554fecp-2f, 0x1.0c8094p-3f};

  // log1p f = f - f^2 / 2 + f^3 q(f) for sqrt(1/2) - 1 <= f <= sqrt 2 - 1; 5.8e-9 relative.
  static constexpr float kLog[] = {0x1.555554p-2f, -0x1.000226p-2f, 0x1.99a01ap-3f, -0x1.547288p-3f,
                                   0x1.22d96ap-3f, -0x1.0d829cp-3f, 0x1.055d18p-3f, -0x1.38c37ep-4f};

  // log1p e = e q(e) for 0 <= e <= 1; 5.3e-9 relative.
  static constexpr float kLog1p[] = {0x1p+0f,        -0x1.ffffd2p-2f, 0x1.554dd4p-2f, -0x1.ff249ep-3f,
                                     0x1.93510ap-3f, -0x1.3a596cp-3f, 0x1.b50ae6p-4f, -0x1.d78a7ep-5f,
                                     0x1.4a23ap-6f,  -0x1.b1630ep-9f};

  // erf a = a + a p(a^2) for a <= kErfSplit; 6.8e-9 relative.
  static constexpr float kErfSplit = 0.85f;
  static constexpr float kErf[] = {0x1.06eba8p-3f,  -0x1.812726p-2f, 0x1.ce256ap-4f,
                                   -0x1.b735eap-6f, 0x1.4b763p-8f,   -0x1.4cd86p-11f};

  // log(erfc a) for kErfSplit <= a <= 4, where erfc stays below half a unit in the last place of 1; 5.1e-9 relative to
  // the square root of erfc. Beyond 4 it falls on, which takes erfc to 0.
  static constexpr float kLogErfc[] = {0x1.a82974p-14f, -0x1.21116cp+0f, -0x1.449cf4p-1f, -0x1.b8b194p-4f,
                                       0x1.94c294p-6f,  -0x1.07defap-8f, 0x1.ab2f6cp-12f, -0x1.3eca38p-16f};

  Float splat(float constant) const { return a_.splat(constant); }

  Float maximum_of(Float a, Float b) const { return propagate_nan(a, a_.select(a_.greater(a, b), a, b)); }
  Float minimum_of(Float a, Float b) const { return propagate_nan(a, a_.select(a_.less(a, b), a, b)); }
  Float propagate_nan(Float operand, Float result) const { return a_.select(a_.is_nan(operand), operand, result); }
  Float clamp(float low, Float x, float high) const {
    return bounded(x, -low < high ? -low : high,
                   [&](Float all) { return minimum(splat(high), maximum(splat(low), all)); });
  }

  // Returns bound(x), which is x in every lane whose magnitude is below `limit`. An arithmetic may branch around it.
  template <class Bound>
  Float bounded(Float x, float limit, const Bound& bound) const {
    if constexpr (requires { a_.bounded(x, limit, bound); })
      return a_.bounded(x, limit, bound);
    else
      return bound(x);
  }

  // This is Horner's rule in x^2 over pairs c[2k] + c[2k+1] x: it has half the latency of Horner's rule in x for one
  // multiplication more.
  template <std::size_t n>
  Float polynomial(Float x, Float x_squared, const float (&coefficients)[n]) const {
    const auto pair = [&](std::size_t k) {
      const Float low = splat(coefficients[k]);
      return k + 1 < n ? a_.fma(splat(coefficients[k + 1]), x, low) : low;
    };
    std::size_t k = (n - 1) / 2 * 2;
    Float sum = pair(k);
    while (k > 0) {
      k -= 2;
      sum = a_.fma(sum, x_squared, pair(k));
    }
    return sum;
  }

  // x = n * ln 2 + r with |r| <= ln 2 / 2; the low bits of `biased` hold n plus the bias asked for.
  struct Reduced {
    Float r;
    Bits biased;
  };

  // With `negated`, n and thus the power belong to -x, while r stays that of x.
  Reduced reduce(Float x, int bias, bool negated = false) const {
    const float sign = negated ? -1.f : 1.f;
    const Float magic = splat(kMagic + static_cast<float>(bias));
    const Float biased = a_.fma(x, splat(sign * kLog2E), magic);
    const Float n = a_.sub(biased, magic);
    const Float r = a_.fma(n, splat(-sign * kLn2Low), a_.fma(n, splat(-sign * kLn2High), x));
    return {r, a_.as_bits(biased)};
  }

  Float power_of_two(Bits biased) const { return a_.as_float(a_.template shift_left<23>(biased)); }

  Float reduced_expm1(Float r) const {
    const Float r_squared = a_.mul(r, r);
    return a_.fma(polynomial(r, r_squared, kExpm1), r_squared, r);
  }

  // (1 + exp(-x)) * 2^scale_exponent. Beyond the bounds, which the caller chooses so that the exponent field stays
  // within 0 (the power is 0) and 255 (it is infinite), the result does not change.
  Float scaled_logistic(Float x, float low, float high, int scale_exponent) const {
    const Reduced reduced = reduce(clamp(low, x, high), 127 + scale_exponent, true);
    const Float exp_r = polynomial(reduced.r, a_.mul(reduced.r, reduced.r), kLogistic);
    return a_.fma(exp_r, power_of_two(reduced.biased), splat(scale_exponent == 0 ? 1.f : 0x1p-8f));
  }

  // Returns 1 + exp(-x), the divisor of sigmoid.
  Float logistic(Float x) const { return scaled_logistic(x, -89.f, 88.f, 0); }

  struct Quotient {
    Float numerator, denominator;
  };

  // tanh(b + r) with b = n ln 2 / 2 by the addition theorem: tanh b = (s - 1) / (s + 1) with s = 2^n, so
  // tanh(b + r) = (s - 1 + u (s + 1)) / (s + 1 + u (s - 1)) with u = tanh r. An error of u fades as tanh nears 1; the
  // numerator never exceeds the denominator, and they are equal at the bound. ln 2 / 2 needs no second part here.
  Quotient tanh_quotient(Float x) const {
    const Float a = bounded(a_.abs(x), 9.02f, [&](Float all) { return minimum(splat(9.02f), all); });
    const Float magic = splat(kMagic + 127);
    const Float biased = a_.fma(a, splat(2 * kLog2E), magic);
    const Float r = a_.fma(a_.sub(biased, magic), splat(-kLn2 / 2), a);
    const Float r_squared = a_.mul(r, r);
    const Float u = a_.fma(a_.fma(splat(kTanh[1]), r_squared, splat(kTanh[0])), a_.mul(r, r_squared), r);
    const Float s = power_of_two(a_.as_bits(biased));
    const Float above = a_.add(s, splat(1));
    const Float below = a_.sub(s, splat(1));
    return {a_.copy_sign(a_.fma(u, above, below), x), a_.fma(u, below, above)};
  }

  Float tanh(Float x) const {
    const Quotient quotient = tanh_quotient(x);
    return a_.div(quotient.numerator, quotient.denominator);
  }

  // Denominators are at least 1, and a numerator is below 2^28. If a product of denominators overflows, the result
  // is below 2^-100, and comes out as 0.
  Float sigmoid_tanh(Float x, Float y) const {
    const Quotient quotient = tanh_quotient(y);
    return a_.div(quotient.numerator, a_.mul(logistic(x), quotient.denominator));
  }

  Float tanh_tanh(Float x, Float y) const {
    const Quotient a = tanh_quotient(x), b = tanh_quotient(y);
    return a_.div(a_.mul(a.numerator, b.numerator), a_.mul(a.denominator, b.denominator));
  }

  // This is not maximum(0, x): relu(-0) is -0 and relu(NaN) is NaN, and no optimisation may change either.
  Float relu(Float x) const { return a_.select(a_.less(x, splat(0)), splat(0), x); }

  Float hard_sigmoid(Float x, Float alpha, Float beta) const {
    return maximum(splat(0), minimum(splat(1), a_.affine(x, alpha, beta)));
  }

  Float leaky_relu(Float x, Float alpha) const {
    const Mask negative = a_.less(x, splat(0));
    return propagate_nan(alpha, a_.select(negative, a_.mul(alpha, x), x));
  }

  Float thresholded_relu(Float x, Float alpha) const {
    return propagate_nan(alpha, a_.select(a_.less_equal(x, alpha), splat(0), x));
  }

  // x sigmoid(x) stays above the smallest normal number down to x = -91.8, where exp(-x) is beyond f32: everything is
  // scaled by 2^-8, and above 64, where the scaled quotient might be too large, the result is x.
  Float silu(Float x) const {
    const Float quotient = a_.div(x, scaled_logistic(x, -94.4f, 80.f, -8));
    const Mask large = a_.greater(x, splat(64));
    return a_.select(large, x, a_.mul(quotient, splat(0x1p-8f)));
  }

  // The power is applied in two halves, so that results near the largest float and denormal results are right.
  Float exp(Float x) const {
    const Reduced reduced = reduce(clamp(-104.f, x, 89.f), 254);
    const Bits half = a_.template shift_right<1>(reduced.biased);
    const Float first = power_of_two(half);
    const Float second = power_of_two(a_.sub_bits(reduced.biased, half));
    const Float exp_r = a_.add(reduced_expm1(reduced.r), splat(1));
    return a_.mul(a_.mul(exp_r, first), second);
  }

  // x = 2^e (1 + f) with 1 + f within sqrt 2 of 1: the integer part of the bits above those of sqrt(1/2) is e.
  Float log(Float x) const {
    const Bits root = a_.bits(0x3f3504f3);
    const Bits above = a_.sub_bits(a_.as_bits(x), root);
    const Float e = a_.template signed_shift_to_float<23>(above);
    const Bits mantissa = a_.add_bits(a_.and_bits(above, a_.bits(0x007fffff)), root);
    const Float f = a_.sub(a_.as_float(mantissa), splat(1));
    const Float f_squared = a_.mul(f, f);
    Float tail = a_.mul(a_.mul(f, f_squared), polynomial(f, f_squared, kLog));
    tail = a_.fma(e, splat(kLn2Low), tail);
    tail = a_.fma(f_squared, splat(-0.5f), tail);
    const Float finite = a_.fma(e, splat(kLn2High), a_.add(f, tail));

    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const Float result = a_.select(a_.less(x, splat(kInfinity)), finite, x);
    const Mask negative = a_.less(x, splat(0));
    const Float special = a_.select(negative, splat(std::numeric_limits<float>::quiet_NaN()), splat(-kInfinity));
    return a_.select(a_.less(x, splat(0x1p-126f)), special, result);
  }

  // Computes exp(x) for -88 <= x <= 0; the result is 0 at the lower end.
  Float exp_of_negative(Float x) const {
    const Reduced reduced = reduce(x, 127);
    return a_.mul(power_of_two(reduced.biased), a_.add(reduced_expm1(reduced.r), splat(1)));
  }

  // softplus x = max(x, 0) + log1p(exp(-|x|))
  Float softplus(Float x) const {
    const Float e = exp_of_negative(a_.neg(minimum(splat(88), a_.abs(x))));
    return a_.fma(e, polynomial(e, a_.mul(e, e), kLog1p), maximum(splat(0), x));
  }

  // expm1 x = 2^n expm1 r + (2^n - 1); the value of this for large x is meaningless, and the selection drops it.
  Float elu(Float x, Float alpha) const {
    const Reduced reduced = reduce(maximum(splat(-87), x), 127);
    const Float power = power_of_two(reduced.biased);
    const Float expm1 = a_.fma(power, reduced_expm1(reduced.r), a_.sub(power, splat(1)));
    const Mask positive = a_.greater(x, splat(0));
    return propagate_nan(alpha, a_.select(positive, x, a_.mul(alpha, expm1)));
  }

  // The result has erf |x| for small |x| and erfc |x| for large |x|.
  struct ErrorFunction {
    Float small, complement;
    Mask is_large;
  };

  ErrorFunction error_function(Float x) const {
    const Float a = minimum(splat(10), a_.abs(x));
    const Float a_squared = a_.mul(a, a);
    const Float small = polynomial(a_squared, a_.mul(a_squared, a_squared), kErf);
    const Float logarithm = polynomial(a, a_squared, kLogErfc);
    const Float complement = exp_of_negative(maximum(splat(-88), logarithm));
    return {a_.fma(a, small, a), complement, a_.greater(a, splat(kErfSplit))};
  }

  Float erf(Float x) const {
    const ErrorFunction f = error_function(x);
    return a_.copy_sign(a_.select(f.is_large, a_.sub(splat(1), f.complement), f.small), x);
  }

  // gelu x = x / 2 (1 + erf(x / sqrt 2)); for negative x the sum is erfc.
  Float gelu(Float x) const {
    const ErrorFunction f = error_function(a_.mul(x, splat(0x1.6a09e6p-1f)));  // 1 / sqrt 2
    const Mask negative = a_.less(x, splat(0));
    const Float large = a_.select(negative, f.complement, a_.sub(splat(2), f.complement));
    const Float small = a_.add(splat(1), a_.copy_sign(f.small, x));
    return a_.mul(a_.mul(x, splat(0.5f)), a_.select(f.is_large, large, small));
  }

  Arithmetic a_;
};

#define RNNC_FUNCTION(name, ...) \
  case Function::name:           \
    return body(std::integral_constant<Function, Function::name>());
#define RNNC_PRODUCT RNNC_FUNCTION

/// Calls `body` with a constant of type std::integral_constant that equals `function`, so that one dispatch serves all
/// vectors.
template <class Body>
decltype(auto) with_function(Function function, const Body& body) {
  switch (function) {
#include "runtime/functions.def"
  }
  __builtin_unreachable();
}

}  // namespace rnnc::runtime
