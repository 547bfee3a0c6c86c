#include "compiler/llvm/suit_wasm.hpp"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IntrinsicsWebAssembly.h>

#include <vector>

namespace rnnc::compiler {
namespace {

// LLVM would call fmaf for each lane. No multiply-add is emitted for a target without relaxed SIMD
// (FunctionEmitter::fma).
llvm::Value* multiply_add(llvm::IRBuilder<>& builder, const llvm::IntrinsicInst& call) {
  return builder.CreateIntrinsic(llvm::Intrinsic::wasm_relaxed_madd, {call.getType()},
                                 {call.getArgOperand(0), call.getArgOperand(1), call.getArgOperand(2)});
}

// LLVM would take vectors apart for this, since WebAssembly copies signs of single numbers only.
llvm::Value* copy_sign(llvm::IRBuilder<>& builder, const llvm::IntrinsicInst& call) {
  llvm::Type* bits = call.getType()->getWithNewType(builder.getInt32Ty());
  const auto part = [&](unsigned operand, std::uint32_t mask) {
    return builder.CreateAnd(builder.CreateBitCast(call.getArgOperand(operand), bits),
                             llvm::ConstantInt::get(bits, mask));
  };
  return builder.CreateBitCast(builder.CreateOr(part(0, 0x7fffffff), part(1, 0x80000000)), call.getType());
}

llvm::Value* replacement(llvm::IRBuilder<>& builder, const llvm::IntrinsicInst& call) {
  if (!call.getType()->isVectorTy() || !call.getType()->getScalarType()->isFloatTy()) return nullptr;
  if (call.getIntrinsicID() == llvm::Intrinsic::fma) return multiply_add(builder, call);
  if (call.getIntrinsicID() == llvm::Intrinsic::copysign) return copy_sign(builder, call);
  return nullptr;
}

}  // namespace

void suit_wasm(llvm::Module& module) {
  std::vector<llvm::IntrinsicInst*> calls;
  for (llvm::Function& function : module)
    for (llvm::BasicBlock& block : function)
      for (llvm::Instruction& each : block)
        if (auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&each)) calls.push_back(call);
  for (llvm::IntrinsicInst* call : calls) {
    llvm::IRBuilder<> builder(call);
    llvm::Value* value = replacement(builder, *call);
    if (!value) continue;
    call->replaceAllUsesWith(value);
    call->eraseFromParent();
  }
}

}  // namespace rnnc::compiler
