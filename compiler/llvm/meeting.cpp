#include "compiler/llvm/meeting.hpp"

#include <llvm/IR/IntrinsicsAArch64.h>
#include <llvm/IR/IntrinsicsX86.h>
#include <llvm/IR/Module.h>

#include <cstddef>

#include "compiler/llvm/loops.hpp"
#include "runtime/artifact.hpp"
#include "runtime/pause.hpp"

namespace rnnc::compiler {
namespace {

using runtime::Flag;
using runtime::KernelArguments;

llvm::Value* field(llvm::IRBuilder<>& builder, llvm::Value* arguments, std::size_t offset, llvm::Type* type) {
  return builder.CreateLoad(type, builder.CreateConstGEP1_64(builder.getInt8Ty(), arguments, offset));
}

llvm::Value* flag(llvm::IRBuilder<>& builder, llvm::Value* flags, llvm::Value* part) {
  return builder.CreateGEP(builder.getInt8Ty(), flags, builder.CreateMul(part, builder.getInt64(sizeof(Flag))));
}

void emit_pause(llvm::IRBuilder<>& builder, Arch arch) {
  constexpr std::uint32_t kYield = 1;  // the number of the hint of this name
  switch (arch) {
    case Arch::X86_64: builder.CreateIntrinsic(llvm::Intrinsic::x86_sse2_pause, {}, {}); return;
    case Arch::AArch64: builder.CreateIntrinsic(llvm::Intrinsic::aarch64_hint, {}, {builder.getInt32(kYield)}); return;
    case Arch::Wasm32:
    case Arch::Thumb7em:
    case Arch::Thumb81m:
    case Arch::Arm7a:
    case Arch::RiscV64:
    case Arch::RiscV32: return;  // their code has one thread
  }
}

// Emits a wait until `address` holds `wanted` or more.
void emit_wait(llvm::IRBuilder<>& builder, Arch arch, llvm::Value* address, llvm::Value* wanted, llvm::Value* yield) {
  llvm::LLVMContext& context = builder.getContext();
  llvm::Function* function = builder.GetInsertBlock()->getParent();
  llvm::BasicBlock* before = builder.GetInsertBlock();
  llvm::BasicBlock* look = llvm::BasicBlock::Create(context, "look", function);
  llvm::BasicBlock* wait = llvm::BasicBlock::Create(context, "wait", function);
  llvm::BasicBlock* after = llvm::BasicBlock::Create(context, "met", function);
  builder.CreateBr(look);
  builder.SetInsertPoint(look);
  llvm::PHINode* pauses = builder.CreatePHI(builder.getInt64Ty(), 2);
  pauses->addIncoming(builder.getInt64(1), before);
  llvm::LoadInst* finished = builder.CreateAlignedLoad(builder.getInt64Ty(), address, llvm::Align(8));
  finished->setAtomic(llvm::AtomicOrdering::Acquire);
  builder.CreateCondBr(builder.CreateICmpUGE(finished, wanted), after, wait);

  builder.SetInsertPoint(wait);
  emit_pause(builder, arch);
  emit_if(
      builder,
      builder.CreateICmpEQ(builder.CreateURem(pauses, builder.getInt64(runtime::kPausesToYield)), builder.getInt64(0)),
      [&] { builder.CreateCall(llvm::FunctionType::get(builder.getVoidTy(), false), yield); });
  pauses->addIncoming(builder.CreateAdd(pauses, builder.getInt64(1)), builder.GetInsertBlock());
  builder.CreateBr(look);
  builder.SetInsertPoint(after);
}

// Makes the function meet(arguments, finished), which tells the other parts that this one has finished `finished`
// stages, and waits until they have finished as many.
llvm::Function* make_meet(llvm::Module& module, Arch arch, llvm::AttributeList attributes) {
  llvm::LLVMContext& context = module.getContext();
  llvm::IRBuilder<> builder(context);
  auto* type = llvm::FunctionType::get(builder.getVoidTy(), {builder.getPtrTy(), builder.getInt64Ty()}, false);
  auto* function = llvm::Function::Create(type, llvm::Function::InternalLinkage, "meet", module);
  function->setAttributes(attributes);
  builder.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", function));
  llvm::Value *arguments = function->getArg(0), *finished = function->getArg(1);
  llvm::Value* flags = field(builder, arguments, offsetof(KernelArguments, flags), builder.getPtrTy());
  llvm::Value* yield = field(builder, arguments, offsetof(KernelArguments, yield), builder.getPtrTy());
  llvm::Value* part = field(builder, arguments, offsetof(KernelArguments, part), builder.getInt64Ty());
  llvm::Value* parts = field(builder, arguments, offsetof(KernelArguments, parts), builder.getInt64Ty());
  builder.CreateAlignedStore(finished, flag(builder, flags, part), llvm::Align(8))
      ->setAtomic(llvm::AtomicOrdering::Release);
  emit_for(
      builder, builder.getInt64(0), parts, 1,
      [&](llvm::Value* other) { emit_wait(builder, arch, flag(builder, flags, other), finished, yield); }, "parts");
  builder.CreateRetVoid();
  return function;
}

}  // namespace

Meeting::Meeting(llvm::IRBuilder<>& builder, llvm::Module& module, Arch arch, llvm::Value* arguments,
                 llvm::AttributeList attributes)
    : function_(make_meet(module, arch, attributes)), arguments_(arguments) {
  part_.index = field(builder, arguments, offsetof(KernelArguments, part), builder.getInt64Ty());
  part_.count = field(builder, arguments, offsetof(KernelArguments, parts), builder.getInt64Ty());
  llvm::Value* flags = field(builder, arguments, offsetof(KernelArguments, flags), builder.getPtrTy());
  finished_ = builder.CreateAlloca(builder.getInt64Ty());
  builder.CreateStore(builder.CreateLoad(builder.getInt64Ty(), flag(builder, flags, part_.index)), finished_);
}

void Meeting::emit(llvm::IRBuilder<>& builder) {
  llvm::Value* finished = builder.CreateAdd(builder.CreateLoad(builder.getInt64Ty(), finished_), builder.getInt64(1));
  builder.CreateStore(finished, finished_);
  builder.CreateCall(function_, {arguments_, finished});
}

}  // namespace rnnc::compiler
