#include "compiler/object/float_mode.hpp"

#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/IntrinsicsAArch64.h>
#include <llvm/IR/IntrinsicsARM.h>
#include <llvm/IR/IntrinsicsX86.h>

#include "compiler/llvm/loops.hpp"
#include "compiler/llvm/types.hpp"

namespace rnnc::compiler {
namespace {

using Work = llvm::function_ref<void()>;

constexpr std::uint32_t kModeX86 = 0x9fc0;                      // MXCSR without its flags
constexpr std::uint32_t kFlagsX86 = 0x003f;                     // MXCSR: the exceptions that have been raised
constexpr std::uint64_t kModeAArch64 = std::uint64_t{1} << 24;  // FPCR; the flags are in FPSR
// FPSCR: the kinds of half and NaN, flush to zero, rounding and traps. Its other bits are flags, and on ARMv8.1-M the
// length of a loop with a tail, which all code relies on.
constexpr std::uint32_t kModeBitsArm = 0x07c09f00, kModeArm = std::uint32_t{1} << 24;

void in_mode_x86(llvm::IRBuilder<>& builder, Work work) {
  llvm::Type* type = builder.getInt32Ty();
  llvm::Value* memory = stack_slot(builder, type);
  llvm::Value* callers = stack_slot(builder, type);
  const auto write_where = [&](llvm::Value* condition, llvm::Value* from) {
    emit_if(builder, condition, [&] { builder.CreateIntrinsic(llvm::Intrinsic::x86_sse_ldmxcsr, {}, {from}); });
  };
  builder.CreateIntrinsic(llvm::Intrinsic::x86_sse_stmxcsr, {}, {callers});
  llvm::Value* before = builder.CreateLoad(type, callers);
  llvm::Value* inside = builder.CreateOr(builder.CreateAnd(before, kFlagsX86), kModeX86);
  llvm::Value* differs = builder.CreateICmpNE(before, inside);
  builder.CreateStore(inside, memory);
  write_where(differs, memory);
  work();
  write_where(differs, callers);
}

void in_mode_aarch64(llvm::IRBuilder<>& builder, Work work) {
  llvm::Value* before = builder.CreateIntrinsic(llvm::Intrinsic::aarch64_get_fpcr, {}, {});
  llvm::Value* flags = builder.CreateIntrinsic(llvm::Intrinsic::aarch64_get_fpsr, {}, {});
  llvm::Value* differs = builder.CreateICmpNE(before, builder.getInt64(kModeAArch64));
  const auto set_mode = [&](llvm::Value* mode) {
    builder.CreateIntrinsic(llvm::Intrinsic::aarch64_set_fpcr, {}, {mode});
  };
  emit_if(builder, differs, [&] { set_mode(builder.getInt64(kModeAArch64)); });
  work();
  emit_if(builder, differs, [&] {
    set_mode(before);
    builder.CreateIntrinsic(llvm::Intrinsic::aarch64_set_fpsr, {}, {flags});
  });
}

// The flags are in the same register, so that it is always written back.
void in_mode_arm(llvm::IRBuilder<>& builder, Work work) {
  llvm::Value* before = builder.CreateIntrinsic(llvm::Intrinsic::arm_get_fpscr, {}, {});
  llvm::Value* inside = builder.CreateOr(builder.CreateAnd(before, ~kModeBitsArm), kModeArm);
  builder.CreateIntrinsic(llvm::Intrinsic::arm_set_fpscr, {}, {inside});
  work();
  builder.CreateIntrinsic(llvm::Intrinsic::arm_set_fpscr, {}, {before});
}

// fcsr has the rounding and the flags.
void in_mode_riscv(llvm::IRBuilder<>& builder, Work work) {
  llvm::Type* word = builder.getInt32Ty();
  const auto code = [&](llvm::FunctionType* type, const char* text, const char* operands) {
    return llvm::InlineAsm::get(type, text, operands, true);
  };
  auto* write = llvm::FunctionType::get(builder.getVoidTy(), {word}, false);
  auto* none = llvm::FunctionType::get(builder.getVoidTy(), {}, false);
  llvm::Value* before = builder.CreateCall(code(llvm::FunctionType::get(word, {}, false), "frcsr $0", "=r,~{memory}"));
  builder.CreateCall(code(none, "fsrmi 0", "~{memory}"));
  work();
  builder.CreateCall(code(write, "fscsr $0", "r,~{memory}"), {before});
}

}  // namespace

void in_kernel_mode(llvm::IRBuilder<>& builder, Arch arch, Work work) {
  switch (arch) {
    case Arch::X86_64: return in_mode_x86(builder, work);
    case Arch::AArch64: return in_mode_aarch64(builder, work);
    case Arch::Wasm32: return work();  // it has no mode
    case Arch::Thumb7em:
    case Arch::Thumb81m:
    case Arch::Arm7a: return in_mode_arm(builder, work);
    case Arch::RiscV64:
    case Arch::RiscV32: return in_mode_riscv(builder, work);
  }
}

}  // namespace rnnc::compiler
