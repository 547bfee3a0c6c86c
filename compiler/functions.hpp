// The element-wise functions of generated code, as explicit vector IR: IEEE operations, comparisons and integer
// arithmetic only; no call, no estimate, no fast-math flag. So a value has the same bits for every lane count and every
// CPU with fused multiply-add. Right with denormals flushed, which is how kernels run, and sensible without.
// docs/numerics.md has the measured error of each function, scripts/fit_functions.py the origin of every coefficient.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <span>

#include "ir/op.hpp"

namespace rnnc::compiler {

/// Emits element-wise arithmetic on vectors of `lanes` f32 at the builder's insertion point.
class FunctionEmitter {
 public:
  FunctionEmitter(llvm::IRBuilderBase& builder, unsigned lanes, bool has_fma);

  /// One value of `function`; each operand is a <lanes x float>.
  ///
  /// Numerics  meaning in ir/op.hpp, bound in ir/ops.def; NaN propagates
  llvm::Value* emit(ir::Function function, std::span<llvm::Value* const> operands);

  /// A function value that is yet to be divided. The denominator is at least 1 and may be infinite where the quotient
  /// is below the smallest normal number; the numerator (1 where null) is below 2^28.
  struct Quotient {
    llvm::Value* numerator = nullptr;
    llvm::Value* denominator = nullptr;
  };

  /// Whether `function` ends in a division that a product with another one can share.
  static bool is_quotient(ir::Function function);
  Quotient quotient(ir::Function function, llvm::Value* x);

  /// Products of quotients with one division; dividing is what an LSTM's element-wise part takes longest for.
  llvm::Value* multiply(const Quotient& a, const Quotient& b);
  /// value * quotient; the numerator must be 1, since another one times a large value might overflow.
  llvm::Value* multiply(llvm::Value* value, const Quotient& quotient);

  llvm::Value* splat(float constant);

  /// a * b + c: one rounding where the CPU has it, else two.
  llvm::Value* fma(llvm::Value* a, llvm::Value* b, llvm::Value* c);

  /// The larger (smaller) operand, NaN where either is. One instruction when an operand is a constant, else three.
  llvm::Value* maximum(llvm::Value* a, llvm::Value* b);
  llvm::Value* minimum(llvm::Value* a, llvm::Value* b);

 private:
  // x = n * ln 2 + r with |r| <= ln 2 / 2; the low bits of `biased` hold n plus the bias asked for.
  struct Reduced {
    llvm::Value* r;
    llvm::Value* biased;
  };

  // erf |x| where it is not large, and erfc |x| where it is.
  struct ErrorFunction {
    llvm::Value* small;
    llvm::Value* complement;
    llvm::Value* is_large;
  };

  llvm::Value* integer(std::uint32_t constant);
  llvm::Value* as_integer(llvm::Value* value);
  llvm::Value* as_float(llvm::Value* value);
  llvm::Value* propagate_nan(llvm::Value* operand, llvm::Value* result);
  llvm::Value* clamp(float low, llvm::Value* x, float high);
  llvm::Value* polynomial(llvm::Value* x, llvm::Value* x_squared, std::span<const float> coefficients);
  llvm::Value* copy_sign(llvm::Value* magnitude, llvm::Value* sign);

  Reduced reduce(llvm::Value* x, int bias, bool negated = false);
  llvm::Value* power_of_two(llvm::Value* biased);
  llvm::Value* reduced_expm1(llvm::Value* r);
  llvm::Value* exp_of_negative(llvm::Value* x);
  ErrorFunction error_function(llvm::Value* x);
  Quotient tanh_quotient(llvm::Value* x);
  llvm::Value* scaled_logistic(llvm::Value* x, float low, float high, int scale_exponent);

  llvm::Value* affine(llvm::Value* x, llvm::Value* alpha, llvm::Value* beta);
  llvm::Value* relu(llvm::Value* x);
  llvm::Value* abs(llvm::Value* x);
  llvm::Value* sqrt(llvm::Value* x);
  llvm::Value* tanh(llvm::Value* x);
  llvm::Value* erf(llvm::Value* x);
  llvm::Value* gelu(llvm::Value* x);
  llvm::Value* sigmoid(llvm::Value* x);
  llvm::Value* silu(llvm::Value* x);
  llvm::Value* exp(llvm::Value* x);
  llvm::Value* log(llvm::Value* x);
  llvm::Value* softplus(llvm::Value* x);
  llvm::Value* elu(llvm::Value* x, llvm::Value* alpha);
  llvm::Value* leaky_relu(llvm::Value* x, llvm::Value* alpha);
  llvm::Value* thresholded_relu(llvm::Value* x, llvm::Value* alpha);

  llvm::IRBuilderBase& builder_;
  llvm::Type* float_type_;
  llvm::Type* integer_type_;
  bool has_fma_;
};

}  // namespace rnnc::compiler
