#include "runtime/evaluate.hpp"

#include <bit>
#include <cmath>

#include "runtime/formulas.hpp"
#include "runtime/kernel_float_mode.hpp"

namespace rnnc::runtime {
namespace {

class ScalarArithmetic : public Operators<float, std::uint32_t, bool> {
 public:
  static Bits bits(std::uint32_t constant) { return constant; }

  static Float neg(Float x) { return -x; }
  static Float abs(Float x) { return std::fabs(x); }
  static Float sqrt(Float x) { return std::sqrt(x); }
  static Float copy_sign(Float magnitude, Float sign) { return std::copysign(magnitude, sign); }
  static Float fma(Float a, Float b, Float c) { return std::fma(a, b, c); }
  static Float affine(Float x, Float alpha, Float beta) { return std::fma(alpha, x, beta); }

  static Mask is_nan(Float x) { return std::isnan(x); }
  static Float select(Mask mask, Float yes, Float no) { return mask ? yes : no; }

  template <int by>
  static Bits shift_right(Bits value) {
    return value >> by;
  }
  template <int by>
  static Float signed_shift_to_float(Bits value) {
    return static_cast<Float>(static_cast<std::int32_t>(value) >> by);
  }
};

// A pointer to the computation of each function. A call through a pointer is not moved before the change of the mode,
// of which compilers know nothing.
using Evaluate = float (*)(const float* operands) noexcept;
constexpr Evaluate kEvaluate[] = {
#define RNNC_FUNCTION(name, ...) \
  [](const float* operands) noexcept { return Formulas<ScalarArithmetic>({}).evaluate<Function::name>(operands); },
#define RNNC_PRODUCT RNNC_FUNCTION
#include "runtime/functions.def"
};

}  // namespace

float evaluate(Function function, const float* operands) noexcept {
  const KernelFloatMode mode;
  return kEvaluate[static_cast<std::size_t>(function)](operands);
}

}  // namespace rnnc::runtime
