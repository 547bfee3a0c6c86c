#include "compiler/llvm/types.hpp"

#include <llvm/IR/Constants.h>

namespace rnnc::compiler {

using runtime::NumberFormat;

llvm::Type* type_of(llvm::IRBuilderBase& builder, NumberFormat format) {
  switch (format) {
    case NumberFormat::F32: return builder.getFloatTy();
    case NumberFormat::F16:
    case NumberFormat::BF16:
    case NumberFormat::W16: return builder.getInt16Ty();
    case NumberFormat::W8A16:
    case NumberFormat::W8: return builder.getInt8Ty();
  }
  return nullptr;
}

llvm::FixedVectorType* vector_of(llvm::IRBuilderBase& builder, std::int64_t lanes, NumberFormat format) {
  return llvm::FixedVectorType::get(type_of(builder, format), static_cast<unsigned>(lanes));
}

llvm::Align alignment_of(std::int64_t elements, NumberFormat format) {
  return llvm::Align(static_cast<std::uint64_t>(runtime::bytes_of(format, elements)));
}

llvm::Value* advance(llvm::IRBuilderBase& builder, llvm::Value* base, llvm::Value* elements, NumberFormat format) {
  return builder.CreateGEP(type_of(builder, format), base, elements);
}

llvm::AllocaInst* stack_slot(llvm::IRBuilderBase& builder, llvm::Type* type) {
  llvm::BasicBlock& entry = builder.GetInsertBlock()->getParent()->getEntryBlock();
  auto place = entry.begin();
  while (place != entry.end() && llvm::isa<llvm::AllocaInst>(*place)) ++place;
  return llvm::IRBuilder<>(&entry, place).CreateAlloca(type);
}

namespace {

llvm::VectorType* with_lanes_of(llvm::Value* numbers, llvm::Type* type) {
  return llvm::VectorType::get(type, llvm::cast<llvm::VectorType>(numbers->getType())->getElementCount());
}

// Widens binary16 with integers: sign 1, exponent 5 (bias 15), fraction 10. Where the exponent is 0, the fraction
// counts in units of 2^-24, which are no subnormals of f32: kernels flush these.
llvm::Value* widen_f16(llvm::IRBuilderBase& builder, llvm::Value* halves) {
  llvm::VectorType* words = with_lanes_of(halves, builder.getInt32Ty());
  llvm::VectorType* floats = with_lanes_of(halves, builder.getFloatTy());
  const auto word = [&](std::uint32_t value) { return llvm::ConstantInt::get(words, value); };
  llvm::Value* bits = builder.CreateZExt(halves, words);
  llvm::Value* sign = builder.CreateShl(builder.CreateAnd(bits, word(0x8000)), word(16));
  llvm::Value* magnitude = builder.CreateAnd(bits, word(0x7fff));
  llvm::Value* normal = builder.CreateAdd(builder.CreateShl(magnitude, word(13)), word(112u << 23));
  llvm::Value* special = builder.CreateAdd(normal, word(112u << 23));  // exponent 31 becomes 255
  llvm::Value* subnormal = builder.CreateBitCast(
      builder.CreateFMul(builder.CreateSIToFP(magnitude, floats), llvm::ConstantFP::get(floats, 0x1p-24)), words);
  llvm::Value* finite = builder.CreateSelect(builder.CreateICmpULT(magnitude, word(0x400)), subnormal, normal);
  llvm::Value* wide = builder.CreateSelect(builder.CreateICmpULT(magnitude, word(0x7c00)), finite, special);
  return builder.CreateBitCast(builder.CreateOr(sign, wide), floats);
}

// Widens binary16 with a product, which is exact: the bits of a half, moved to their places in an f32, are 2^112 times
// too small, and a denormal f32 where the exponent is 0. The exponent 31 of infinity and NaN becomes 255 first.
llvm::Value* multiply_f16(llvm::IRBuilderBase& builder, llvm::Value* halves) {
  llvm::VectorType* words = with_lanes_of(halves, builder.getInt32Ty());
  llvm::VectorType* floats = with_lanes_of(halves, builder.getFloatTy());
  const auto word = [&](std::uint32_t value) { return llvm::ConstantInt::get(words, value); };
  llvm::Value* moved =
      builder.CreateAnd(builder.CreateShl(builder.CreateSExt(halves, words), word(13)), word(0x8fffe000));
  llvm::Value* is_special = builder.CreateICmpEQ(builder.CreateAnd(moved, word(0x0f800000)), word(0x0f800000));
  llvm::Value* special = builder.CreateAnd(builder.CreateSExt(is_special, words), word(0x70000000));
  llvm::Value* small = builder.CreateBitCast(builder.CreateOr(moved, special), floats);
  return builder.CreateFMul(small, llvm::ConstantFP::get(floats, 0x1p112));
}

}  // namespace

HalfWidening half_widening(const Target& target) {
  if (target.converts_f16) return HalfWidening::Instruction;
  return target.arch == Arch::Wasm32 ? HalfWidening::Product : HalfWidening::Integers;
}

llvm::Value* widen(llvm::IRBuilderBase& builder, llvm::Value* numbers, NumberFormat format, HalfWidening half) {
  switch (format) {
    case NumberFormat::F32:
    case NumberFormat::W16:
    case NumberFormat::W8A16:
    case NumberFormat::W8: return numbers;
    case NumberFormat::F16:
      if (half == HalfWidening::Integers) return widen_f16(builder, numbers);
      if (half == HalfWidening::Product) return multiply_f16(builder, numbers);
      return builder.CreateFPExt(builder.CreateBitCast(numbers, with_lanes_of(numbers, builder.getHalfTy())),
                                 with_lanes_of(numbers, builder.getFloatTy()));
    case NumberFormat::BF16: {
      llvm::VectorType* words = with_lanes_of(numbers, builder.getInt32Ty());
      llvm::Value* bits = builder.CreateShl(builder.CreateZExt(numbers, words), llvm::ConstantInt::get(words, 16));
      return builder.CreateBitCast(bits, with_lanes_of(numbers, builder.getFloatTy()));
    }
  }
  return nullptr;
}

}  // namespace rnnc::compiler
