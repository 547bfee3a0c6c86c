#include "compiler/llvm/suit_target.hpp"

#include <llvm/Analysis/VectorUtils.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IntrinsicsWebAssembly.h>

#include <utility>
#include <vector>

#include "compiler/llvm/byte_products.hpp"

namespace rnnc::compiler {
namespace {

// LLVM would call fmaf for each lane. No multiply-add is emitted for a target without relaxed SIMD
// (FunctionEmitter::fma).
llvm::Value* multiply_add(llvm::IRBuilder<>& builder, const llvm::IntrinsicInst& call) {
  return builder.CreateIntrinsic(llvm::Intrinsic::wasm_relaxed_madd, {call.getType()},
                                 {call.getArgOperand(0), call.getArgOperand(1), call.getArgOperand(2)});
}

// LLVM would take vectors apart for this: WebAssembly copies signs of single numbers only, and MVE of none. On ARM
// without vectors, LLVM puts the bits that come second in place of those that come first, with one instruction.
llvm::Value* copy_sign(llvm::IRBuilder<>& builder, const llvm::IntrinsicInst& call, bool sign_first) {
  llvm::Type* bits = call.getType()->getWithNewType(builder.getInt32Ty());
  const auto part = [&](unsigned operand, std::uint32_t mask) {
    return builder.CreateAnd(builder.CreateBitCast(call.getArgOperand(operand), bits),
                             llvm::ConstantInt::get(bits, mask));
  };
  llvm::Value *sign = part(1, 0x80000000), *magnitude = part(0, 0x7fffffff);
  if (sign_first) std::swap(magnitude, sign);
  return builder.CreateBitCast(builder.CreateOr(magnitude, sign), call.getType());
}

llvm::Value* replacement(llvm::IRBuilder<>& builder, const llvm::IntrinsicInst& call, Arch arch) {
  if (!call.getType()->isVectorTy() || !call.getType()->getScalarType()->isFloatTy()) return nullptr;
  if (call.getIntrinsicID() == llvm::Intrinsic::fma && arch == Arch::Wasm32) return multiply_add(builder, call);
  if (call.getIntrinsicID() == llvm::Intrinsic::copysign) return copy_sign(builder, call, arch == Arch::Thumb7em);
  return nullptr;
}

void replace_calls(llvm::Module& module, Arch arch) {
  std::vector<llvm::IntrinsicInst*> calls;
  for (llvm::Function& function : module)
    for (llvm::BasicBlock& block : function)
      for (llvm::Instruction& each : block)
        if (auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&each)) calls.push_back(call);
  for (llvm::IntrinsicInst* call : calls) {
    llvm::IRBuilder<> builder(call);
    llvm::Value* value = replacement(builder, *call, arch);
    if (!value) continue;
    call->replaceAllUsesWith(value);
    call->eraseFromParent();
  }
}

// Tells whether a comparison with a constant only chooses the smaller or larger of its sides, and the constant if the
// other is NaN: that is an instruction of its own. It is none for 0, whose sign the instruction does not keep.
bool is_choice_of_sides(const llvm::FCmpInst& comparison) {
  const auto* constant = llvm::dyn_cast_or_null<llvm::ConstantFP>(llvm::getSplatValue(comparison.getOperand(1)));
  if (!constant || constant->isZero() || constant->isNaN()) return false;
  if (comparison.getPredicate() != llvm::CmpInst::FCMP_OLT && comparison.getPredicate() != llvm::CmpInst::FCMP_OGT)
    return false;
  return llvm::all_of(comparison.users(), [&](const llvm::User* user) {
    const auto* choice = llvm::dyn_cast<llvm::SelectInst>(user);
    return choice && choice->getCondition() == &comparison && choice->getTrueValue() == comparison.getOperand(0) &&
           choice->getFalseValue() == comparison.getOperand(1);
  });
}

// A vector of one lane is computed as a number by itself, which LLVM compares well.
bool is_of_vectors(const llvm::Instruction& instruction) {
  const auto* type = llvm::dyn_cast<llvm::FixedVectorType>(instruction.getType());
  return type && type->getNumElements() > 1;
}

// LLVM 19 compares a vector with a number of a register where it can, and swaps the sides for that. But the comparisons
// "less" of MVE hold for NaN too: NaN < 1 would be true. A number whose copies LLVM cannot see through stays a vector.
void keep_order_of_comparisons(llvm::Module& module) {
  std::vector<llvm::FCmpInst*> comparisons;
  for (llvm::Function& function : module)
    for (llvm::BasicBlock& block : function)
      for (llvm::Instruction& each : block)
        if (auto* comparison = llvm::dyn_cast<llvm::FCmpInst>(&each);
            comparison && is_of_vectors(each) && !is_choice_of_sides(*comparison))
          comparisons.push_back(comparison);
  for (llvm::FCmpInst* comparison : comparisons)
    for (llvm::Use& operand : comparison->operands()) {
      const bool holds = comparison->getPredicate() == llvm::CmpInst::FCMP_OGT ||
                         comparison->getPredicate() == llvm::CmpInst::FCMP_OGE;
      if (!llvm::getSplatValue(operand) || (holds && operand.getOperandNo() == 1)) continue;
      llvm::IRBuilder<> builder(comparison);
      operand.set(emit_opaque(builder, operand));
    }
}

}  // namespace

void suit_target(llvm::Module& module, Arch arch) {
  switch (arch) {
    case Arch::Wasm32:
    case Arch::Thumb7em: return replace_calls(module, arch);
    case Arch::Thumb81m:
      replace_calls(module, arch);
      keep_order_of_comparisons(module);
      return;
    case Arch::X86_64:
    case Arch::AArch64:
    case Arch::Arm7a:
    case Arch::RiscV64:
    case Arch::RiscV32: return;
  }
}

}  // namespace rnnc::compiler
