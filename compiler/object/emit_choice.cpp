#include "compiler/object/emit_choice.hpp"

#include <llvm/IR/InlineAsm.h>

#include <array>

#include "compiler/llvm/loops.hpp"

namespace rnnc::compiler {
namespace {

using runtime::CpuFeatures;

constexpr std::size_t kLeaves = 4, kRegisters = 4;

// Reads the CPUID leaves of runtime/cpu_features.def and the state components of XCR0; each is 0 where the machine
// lacks it.
class Reader {
 public:
  explicit Reader(llvm::IRBuilder<>& builder) : builder_(builder) {
    llvm::Value* basic = first_of(cpuid(0, 0));
    llvm::Value* extended = first_of(cpuid(0x80000000, 0));
    leaves_ = {cpuid(1, 0), guarded(basic, 7, 0), guarded(extended, 0x80000001, 0), guarded(basic, 7, 1)};
  }

  llvm::Value* get(std::size_t leaf, std::size_t reg) {
    return builder_.CreateExtractValue(leaves_[leaf], static_cast<unsigned>(reg));
  }

  // Only machines with OSXSAVE have the instruction xgetbv.
  llvm::Value* saved() {
    llvm::Value* has = builder_.CreateICmpNE(builder_.CreateAnd(get(0, 2), 1u << 27), builder_.getInt32(0));
    llvm::Value* slot = builder_.CreateAlloca(builder_.getInt32Ty());
    builder_.CreateStore(builder_.getInt32(0), slot);
    emit_if(builder_, has, [&] {
      llvm::Type* pair = llvm::StructType::get(builder_.getInt32Ty(), builder_.getInt32Ty());
      auto* type = llvm::FunctionType::get(pair, {builder_.getInt32Ty()}, false);
      auto* code = llvm::InlineAsm::get(type, "xgetbv", "={ax},={dx},{cx},~{dirflag},~{fpsr},~{flags}", true);
      builder_.CreateStore(first_of(builder_.CreateCall(type, code, {builder_.getInt32(0)})), slot);
    });
    return builder_.CreateLoad(builder_.getInt32Ty(), slot);
  }

 private:
  llvm::Value* first_of(llvm::Value* values) { return builder_.CreateExtractValue(values, 0u); }

  llvm::Value* cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
    llvm::Type* i32 = builder_.getInt32Ty();
    auto* type = llvm::FunctionType::get(llvm::StructType::get(i32, i32, i32, i32), {i32, i32}, false);
    auto* code =
        llvm::InlineAsm::get(type, "cpuid", "={ax},={bx},={cx},={dx},{ax},{cx},~{dirflag},~{fpsr},~{flags}", true);
    return builder_.CreateCall(type, code, {builder_.getInt32(leaf), builder_.getInt32(subleaf)});
  }

  // A leaf above the highest one would read as some other leaf, so it counts as 0.
  llvm::Value* guarded(llvm::Value* highest, std::uint32_t leaf, std::uint32_t subleaf) {
    llvm::Value* values = cpuid(leaf, subleaf);
    llvm::Value* has = builder_.CreateICmpUGE(highest, builder_.getInt32(leaf));
    return builder_.CreateSelect(has, values, llvm::Constant::getNullValue(values->getType()));
  }

  llvm::IRBuilder<>& builder_;
  std::array<llvm::Value*, kLeaves> leaves_{};
};

using Masks = std::array<std::array<std::uint32_t, kRegisters>, kLeaves>;

Masks masks_of(CpuFeatures features) {
  Masks masks{};
  for (std::size_t i = 0; i < std::size(runtime::kCpuFeatures); ++i) {
    const runtime::CpuFeature& row = runtime::kCpuFeatures[i];
    if ((features >> i & 1) != 0)
      masks[static_cast<std::size_t>(row.leaf)][static_cast<std::size_t>(row.reg)] |= 1u << row.bit;
  }
  return masks;
}

llvm::Value* has_all(llvm::IRBuilder<>& builder, llvm::Value* value, std::uint32_t mask) {
  return builder.CreateICmpEQ(builder.CreateAnd(value, mask), builder.getInt32(mask));
}

}  // namespace

llvm::Value* emit_choice(llvm::IRBuilder<>& builder, std::span<const CpuFeatures> levels) {
  Reader reader(builder);
  llvm::Value* saved = reader.saved();
  llvm::Value* choice = builder.getInt32(0);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const std::uint32_t registers = runtime::saved_registers_for(levels[i]);
    llvm::Value* fits = has_all(builder, saved, registers);
    const Masks masks = masks_of(levels[i]);
    for (std::size_t leaf = 0; leaf < kLeaves; ++leaf)
      for (std::size_t reg = 0; reg < kRegisters; ++reg)
        if (masks[leaf][reg] != 0)
          fits = builder.CreateAnd(fits, has_all(builder, reader.get(leaf, reg), masks[leaf][reg]));
    choice = builder.CreateSelect(fits, builder.getInt32(static_cast<std::uint32_t>(i + 1)), choice);
  }
  return choice;
}

}  // namespace rnnc::compiler
