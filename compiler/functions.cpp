// The dispatch over all functions, the primitives they share, and the functions that are a few instructions.
// The transcendental ones stand in functions_exp.cpp and functions_erf.cpp.
#include "compiler/functions.hpp"

#include <llvm/IR/Constants.h>
#include <llvm/IR/Intrinsics.h>

namespace rnnc::compiler {

using llvm::Value;

FunctionEmitter::FunctionEmitter(llvm::IRBuilderBase& builder, unsigned lanes, bool has_fma)
    : builder_(builder),
      float_type_(llvm::FixedVectorType::get(builder.getFloatTy(), lanes)),
      integer_type_(llvm::FixedVectorType::get(builder.getInt32Ty(), lanes)),
      has_fma_(has_fma) {}

Value* FunctionEmitter::emit(ir::Function function, std::span<Value* const> operands) {
  const llvm::IRBuilderBase::FastMathFlagGuard guard(builder_);
  builder_.clearFastMathFlags();
  Value* const x = operands[0];
  using enum ir::Function;
  switch (function) {
    case Add: return builder_.CreateFAdd(x, operands[1]);
    case Sub: return builder_.CreateFSub(x, operands[1]);
    case Mul: return builder_.CreateFMul(x, operands[1]);
    case Div: return builder_.CreateFDiv(x, operands[1]);
    case Neg: return builder_.CreateFNeg(x);
    case Sigmoid: return sigmoid(x);
    case Tanh: return tanh(x);
    case Relu: return relu(x);
    case Exp: return exp(x);
    case Log: return log(x);
    case Sqrt: return sqrt(x);
    case Rsqrt: return builder_.CreateFDiv(splat(1), sqrt(x));
    case Abs: return abs(x);
    case Min: return minimum(x, operands[1]);
    case Max: return maximum(x, operands[1]);
    case Erf: return erf(x);
    case Softplus: return softplus(x);
    case Softsign: return builder_.CreateFDiv(x, builder_.CreateFAdd(splat(1), abs(x)));
    case Silu: return silu(x);
    case Gelu: return gelu(x);
    case Elu: return elu(x, operands[1]);
    case LeakyRelu: return leaky_relu(x, operands[1]);
    case ThresholdedRelu: return thresholded_relu(x, operands[1]);
    case ScaledTanh: return builder_.CreateFMul(operands[1], tanh(builder_.CreateFMul(operands[2], x)));
    case Affine: return affine(x, operands[1], operands[2]);
    case HardSigmoid: return maximum(splat(0), minimum(splat(1), affine(x, operands[1], operands[2])));
    case Clip: return minimum(operands[2], maximum(operands[1], x));
    case Select: return builder_.CreateSelect(builder_.CreateFCmpOGT(x, operands[1]), operands[2], operands[3]);
  }
  llvm_unreachable("not a function");
}

Value* FunctionEmitter::splat(float constant) { return llvm::ConstantFP::get(float_type_, constant); }

Value* FunctionEmitter::integer(std::uint32_t constant) { return llvm::ConstantInt::get(integer_type_, constant); }

Value* FunctionEmitter::as_integer(Value* value) { return builder_.CreateBitCast(value, integer_type_); }

Value* FunctionEmitter::as_float(Value* value) { return builder_.CreateBitCast(value, float_type_); }

Value* FunctionEmitter::fma(Value* a, Value* b, Value* c) {
  if (!has_fma_) return builder_.CreateFAdd(builder_.CreateFMul(a, b), c);  // the intrinsic would call libm
  return builder_.CreateIntrinsic(llvm::Intrinsic::fma, {float_type_}, {a, b, c});
}

// The comparison is false for NaN, so a NaN in the second operand comes through; this is what maxps and minps do. A
// constant goes first, where a NaN needs a check that then folds away.
Value* FunctionEmitter::maximum(Value* a, Value* b) {
  if (llvm::isa<llvm::Constant>(b)) std::swap(a, b);
  return propagate_nan(a, builder_.CreateSelect(builder_.CreateFCmpOGT(a, b), a, b));
}

Value* FunctionEmitter::minimum(Value* a, Value* b) {
  if (llvm::isa<llvm::Constant>(b)) std::swap(a, b);
  return propagate_nan(a, builder_.CreateSelect(builder_.CreateFCmpOLT(a, b), a, b));
}

Value* FunctionEmitter::propagate_nan(Value* operand, Value* result) {
  return builder_.CreateSelect(builder_.CreateFCmpUNO(operand, operand), operand, result);
}

Value* FunctionEmitter::clamp(float low, Value* x, float high) { return minimum(splat(high), maximum(splat(low), x)); }

Value* FunctionEmitter::copy_sign(Value* magnitude, Value* sign) {
  return builder_.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, magnitude, sign);
}

// Horner's rule in x^2 over pairs c[2k] + c[2k+1] x: half the latency of Horner's rule in x for one multiplication.
Value* FunctionEmitter::polynomial(Value* x, Value* x_squared, std::span<const float> coefficients) {
  Value* sum = nullptr;
  for (std::size_t k = (coefficients.size() - 1) / 2 * 2;; k -= 2) {
    Value* pair = splat(coefficients[k]);
    if (k + 1 < coefficients.size()) pair = fma(splat(coefficients[k + 1]), x, pair);
    sum = sum == nullptr ? pair : fma(sum, x_squared, pair);
    if (k == 0) return sum;
  }
}

// alpha * x + beta with one rounding. Without fused multiply-add the product is taken in double, where it is exact; the
// sum is then rounded to double first, which adds 2^-30 of a unit in the last place at the most.
Value* FunctionEmitter::affine(Value* x, Value* alpha, Value* beta) {
  if (has_fma_) return fma(alpha, x, beta);
  llvm::Type* const wide = float_type_->getWithNewType(builder_.getDoubleTy());
  Value* const product = builder_.CreateFMul(builder_.CreateFPExt(alpha, wide), builder_.CreateFPExt(x, wide));
  return builder_.CreateFPTrunc(builder_.CreateFAdd(product, builder_.CreateFPExt(beta, wide)), float_type_);
}

// Not maximum(0, x): relu(-0) is -0, and NaN must come through, whatever the optimiser makes of either.
Value* FunctionEmitter::relu(Value* x) {
  return builder_.CreateSelect(builder_.CreateFCmpOLT(x, splat(0)), splat(0), x);
}

Value* FunctionEmitter::abs(Value* x) { return builder_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x); }

Value* FunctionEmitter::sqrt(Value* x) { return builder_.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, x); }

Value* FunctionEmitter::leaky_relu(Value* x, Value* alpha) {
  Value* const negative = builder_.CreateFCmpOLT(x, splat(0));
  return propagate_nan(alpha, builder_.CreateSelect(negative, builder_.CreateFMul(alpha, x), x));
}

Value* FunctionEmitter::thresholded_relu(Value* x, Value* alpha) {
  return propagate_nan(alpha, builder_.CreateSelect(builder_.CreateFCmpOLE(x, alpha), splat(0), x));
}

}  // namespace rnnc::compiler
