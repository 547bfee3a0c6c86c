#include "compiler/llvm/functions.hpp"

#include <llvm/IR/Constants.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/MDBuilder.h>

#include "compiler/llvm/types.hpp"
#include "runtime/formulas.hpp"

namespace rnnc::compiler {
namespace {

// Formulas computes with this class, whose operations emit instructions.
class EmittedArithmetic {
 public:
  using Float = llvm::Value*;
  using Bits = llvm::Value*;
  using Mask = llvm::Value*;

  EmittedArithmetic(llvm::IRBuilderBase& builder, llvm::VectorType* float_type, bool has_fma, bool branches = false)
      : b_(&builder),
        float_type_(float_type),
        bits_type_(llvm::VectorType::get(builder.getInt32Ty(), float_type->getElementCount())),
        has_fma_(has_fma),
        branches_(branches) {}

  Float splat(float constant) const { return llvm::ConstantFP::get(float_type_, constant); }
  Bits bits(std::uint32_t constant) const { return llvm::ConstantInt::get(bits_type_, constant); }
  bool is_constant(Float value) const { return llvm::isa<llvm::Constant>(value); }

  Float add(Float a, Float b) const { return b_->CreateFAdd(a, b); }
  Float sub(Float a, Float b) const { return b_->CreateFSub(a, b); }
  Float mul(Float a, Float b) const { return b_->CreateFMul(a, b); }
  Float div(Float a, Float b) const { return b_->CreateFDiv(a, b); }
  Float neg(Float x) const { return b_->CreateFNeg(x); }
  Float abs(Float x) const { return b_->CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x); }
  Float sqrt(Float x) const { return b_->CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, x); }
  Float copy_sign(Float magnitude, Float sign) const {
    return b_->CreateBinaryIntrinsic(llvm::Intrinsic::copysign, magnitude, sign);
  }

  Float fma(Float a, Float b, Float c) const {
    if (!has_fma_) return add(mul(a, b), c);  // the intrinsic would call libm
    return b_->CreateIntrinsic(llvm::Intrinsic::fma, {float_type_}, {a, b, c});
  }

  // Without fused multiply-add the product is taken in double, where it is exact; the sum is then rounded to double
  // first, which adds 2^-30 of a unit in the last place at the most.
  Float affine(Float x, Float alpha, Float beta) const {
    if (has_fma_) return fma(alpha, x, beta);
    llvm::Type* const wide = float_type_->getWithNewType(b_->getDoubleTy());
    const Float product = mul(b_->CreateFPExt(alpha, wide), b_->CreateFPExt(x, wide));
    return b_->CreateFPTrunc(add(product, b_->CreateFPExt(beta, wide)), float_type_);
  }

  // The sum of squares is less than that of the limit only where all magnitudes are. How it is rounded does not matter:
  // it decides about the time alone.
  template <class Bound>
  Float bounded(Float x, float limit, const Bound& bound) const {
    constexpr float kMargin = 0.999f;
    if (!branches_ || is_constant(x)) return bound(x);
    llvm::Type* const number = b_->getFloatTy();
    llvm::Value* sum = nullptr;
    for (std::uint64_t lane = 0; lane < float_type_->getElementCount().getFixedValue(); ++lane) {
      llvm::Value* one = b_->CreateExtractElement(x, lane);
      sum = sum ? b_->CreateIntrinsic(llvm::Intrinsic::fma, {number}, {one, one, sum}) : b_->CreateFMul(one, one);
    }
    llvm::BasicBlock* const before = b_->GetInsertBlock();
    llvm::Function* const function = before->getParent();
    auto* const beyond = llvm::BasicBlock::Create(b_->getContext(), "beyond", function);
    auto* const after = llvm::BasicBlock::Create(b_->getContext(), "bounded", function);
    b_->CreateCondBr(b_->CreateFCmpOLT(sum, llvm::ConstantFP::get(number, kMargin * limit * limit)), after, beyond,
                     llvm::MDBuilder(b_->getContext()).createLikelyBranchWeights());
    b_->SetInsertPoint(beyond);
    llvm::Value* const result = bound(x);
    b_->CreateBr(after);
    b_->SetInsertPoint(after);
    llvm::PHINode* const either = b_->CreatePHI(float_type_, 2);
    either->addIncoming(x, before);
    either->addIncoming(result, beyond);
    return either;
  }

  Mask less(Float a, Float b) const { return b_->CreateFCmpOLT(a, b); }
  Mask less_equal(Float a, Float b) const { return b_->CreateFCmpOLE(a, b); }
  Mask greater(Float a, Float b) const { return b_->CreateFCmpOGT(a, b); }
  Mask is_nan(Float x) const { return b_->CreateFCmpUNO(x, x); }
  Float select(Mask mask, Float yes, Float no) const { return b_->CreateSelect(mask, yes, no); }

  Bits as_bits(Float value) const { return b_->CreateBitCast(value, bits_type_); }
  Float as_float(Bits value) const { return b_->CreateBitCast(value, float_type_); }
  Bits add_bits(Bits a, Bits b) const { return b_->CreateAdd(a, b); }
  Bits sub_bits(Bits a, Bits b) const { return b_->CreateSub(a, b); }
  Bits and_bits(Bits a, Bits b) const { return b_->CreateAnd(a, b); }
  template <unsigned by>
  Bits shift_left(Bits value) const {
    return b_->CreateShl(value, bits(by));
  }
  template <unsigned by>
  Bits shift_right(Bits value) const {
    return b_->CreateLShr(value, bits(by));
  }
  template <unsigned by>
  Float signed_shift_to_float(Bits value) const {
    return b_->CreateSIToFP(b_->CreateAShr(value, bits(by)), float_type_);
  }

 private:
  llvm::IRBuilderBase* b_;
  llvm::VectorType* float_type_;
  llvm::VectorType* bits_type_;
  bool has_fma_, branches_;
};

using Emitted = runtime::Formulas<EmittedArithmetic>;

}  // namespace

FunctionEmitter::FunctionEmitter(llvm::IRBuilderBase& builder, unsigned lanes, bool has_fma)
    : builder_(builder), float_type_(vector_of(builder, lanes)), has_fma_(has_fma) {}

llvm::Value* FunctionEmitter::emit(ir::Function function, std::span<llvm::Value* const> operands) {
  const llvm::IRBuilderBase::FastMathFlagGuard guard(builder_);
  builder_.clearFastMathFlags();
  const Emitted formulas({builder_, float_type_, has_fma_, branches_});
  return runtime::with_function(
      function, [&](auto constant) { return formulas.evaluate<decltype(constant)::value>(operands.data()); });
}

llvm::Value* FunctionEmitter::splat(float constant) { return llvm::ConstantFP::get(float_type_, constant); }

llvm::Value* FunctionEmitter::fma(llvm::Value* a, llvm::Value* b, llvm::Value* c) {
  return EmittedArithmetic(builder_, float_type_, has_fma_).fma(a, b, c);
}

}  // namespace rnnc::compiler
