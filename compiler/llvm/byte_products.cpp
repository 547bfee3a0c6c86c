#include "compiler/llvm/byte_products.hpp"

#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/IntrinsicsAArch64.h>
#include <llvm/IR/IntrinsicsARM.h>
#include <llvm/IR/IntrinsicsWebAssembly.h>
#include <llvm/IR/IntrinsicsX86.h>

#include <string>
#include <vector>

#include "ir/check.hpp"

namespace rnnc::compiler {
namespace {

constexpr int kBytesOfLane = 4;

std::vector<int> numbers(int first, int count, int distance) {
  std::vector<int> list;
  for (int i = 0; i < count; ++i) list.push_back(first + i * distance);
  return list;
}

// The instructions of one width of vectors.
struct Instructions {
  llvm::Intrinsic::ID unsigned_dot, pairs, pairs_of_words;
};

Instructions instructions_of(int lanes) {
  using namespace llvm::Intrinsic;
  if (lanes == 16) return {x86_avx512_vpdpbusd_512, x86_avx512_pmaddubs_w_512, x86_avx512_pmaddw_d_512};
  if (lanes == 8) return {x86_avx512_vpdpbusd_256, x86_avx2_pmadd_ub_sw, x86_avx2_pmadd_wd};
  RNNC_ASSERT(lanes == 4, nullptr);
  return {x86_avx512_vpdpbusd_128, x86_ssse3_pmadd_ub_sw_128, x86_sse2_pmadd_wd};
}

llvm::Value* emit_empty(llvm::IRBuilderBase& builder, llvm::Value* value, const std::string& clobbers) {
  auto* type = llvm::FunctionType::get(value->getType(), {value->getType()}, false);
  const std::string operands = (value->getType()->isVectorTy() ? "=w,0" : "=r,0") + clobbers;
  return builder.CreateCall(llvm::InlineAsm::get(type, "", operands, true), {value});
}

}  // namespace

llvm::Value* emit_opaque(llvm::IRBuilderBase& builder, llvm::Value* value) { return emit_empty(builder, value, ""); }

llvm::Value* emit_barrier(llvm::IRBuilderBase& builder, llvm::Value* value) {
  return emit_empty(builder, value, ",~{memory}");
}

std::vector<llvm::Value*> emit_together(llvm::IRBuilderBase& builder, std::vector<llvm::Value*> words) {
  const std::vector<llvm::Type*> types(words.size(), builder.getInt32Ty());
  std::string results, operands;
  for (std::size_t i = 0; i < words.size(); ++i) {
    results += "=r,";
    operands += (i == 0 ? "" : ",") + std::to_string(i);
  }
  auto* type = llvm::FunctionType::get(llvm::StructType::get(builder.getContext(), types), types, false);
  llvm::Value* all = builder.CreateCall(llvm::InlineAsm::get(type, "", results + operands, true), words);
  for (unsigned i = 0; i < words.size(); ++i) words[i] = builder.CreateExtractValue(all, i);
  return words;
}

// The instruction takes the integer for a number with eight binary places. LLVM has no name for it.
llvm::Value* emit_fraction_to_float(llvm::IRBuilderBase& builder, llvm::Value* sums) {
  llvm::Type* number = builder.getFloatTy();
  llvm::Value* floats = builder.CreateBitCast(sums, sums->getType()->getWithNewType(number));
  auto* type = llvm::FunctionType::get(number, {number}, false);
  auto* code = llvm::InlineAsm::get(type, "vcvt.f32.s32 $0, $0, #8", "=t,0", false);
  const unsigned lanes = llvm::cast<llvm::FixedVectorType>(sums->getType())->getNumElements();
  for (std::uint64_t lane = 0; lane < lanes; ++lane)
    floats = builder.CreateInsertElement(floats, builder.CreateCall(code, {builder.CreateExtractElement(floats, lane)}),
                                         lane);
  return floats;
}

llvm::FixedVectorType* ByteProductEmitter::vector_of(unsigned bits, int count) {
  return llvm::FixedVectorType::get(builder_.getIntNTy(bits), static_cast<unsigned>(count));
}

ByteElements ByteProductEmitter::elements(llvm::ArrayRef<llvm::Value*> words) {
  ByteElements result;
  if (way_ == ByteProducts::Dual) {
    result.odd = words[0];
    result.mixed = words[1];
    return result;
  }
  result.bytes = builder_.CreateBitCast(builder_.CreateVectorSplat(static_cast<unsigned>(lanes_), words[0]),
                                        vector_of(8, kBytesOfLane * lanes_));
  if (way_ != ByteProducts::Signs) return result;
  result.magnitudes = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::abs, result.bytes, builder_.getFalse());
  if (lanes_ == 16)  // the other widths have an instruction that takes the sign from the bytes
    result.is_negative = builder_.CreateICmpSLT(result.bytes, llvm::Constant::getNullValue(result.bytes->getType()));
  return result;
}

llvm::Value* ByteProductEmitter::add(llvm::Value* sums, const ByteElements& elements, llvm::Value* weights) {
  const auto as_words = [&](llvm::Value* bytes) { return builder_.CreateBitCast(bytes, vector_of(32, lanes_)); };
  switch (way_) {
    case ByteProducts::Unsigned:
      return builder_.CreateIntrinsic(instructions_of(lanes_).unsigned_dot, {},
                                      {sums, as_words(elements.bytes), as_words(weights)});
    case ByteProducts::Signs: return add_by_signs(sums, elements, weights);
    case ByteProducts::Long: return add_long(sums, elements.bytes, weights);
    case ByteProducts::Words: return add_words(sums, elements.bytes, weights);
    case ByteProducts::Wide:
    case ByteProducts::Rows: return add_wide(sums, elements.bytes, weights);
    case ByteProducts::Dual: return add_dual(sums, elements, weights);
    case ByteProducts::Signed:
      return builder_.CreateIntrinsic(llvm::Intrinsic::aarch64_neon_sdot, {sums->getType(), weights->getType()},
                                      {sums, elements.bytes, weights});
  }
  return nullptr;
}

// A pair of products is at most 2 * 128 * 127, which fits in 16 bits.
llvm::Value* ByteProductEmitter::add_by_signs(llvm::Value* sums, const ByteElements& elements, llvm::Value* weights) {
  llvm::Value* with_signs = nullptr;
  if (elements.is_negative)
    with_signs = builder_.CreateSelect(elements.is_negative, builder_.CreateNeg(weights), weights);
  else
    with_signs = builder_.CreateIntrinsic(
        lanes_ == 8 ? llvm::Intrinsic::x86_avx2_psign_b : llvm::Intrinsic::x86_ssse3_psign_b_128, {},
        {weights, elements.bytes});
  const Instructions instructions = instructions_of(lanes_);
  llvm::Value* pairs = builder_.CreateIntrinsic(instructions.pairs, {}, {elements.magnitudes, with_signs});
  llvm::Value* ones = llvm::ConstantInt::get(vector_of(16, 2 * lanes_), 1);
  return builder_.CreateAdd(sums, builder_.CreateIntrinsic(instructions.pairs_of_words, {}, {pairs, ones}));
}

// Products of 16 bits, of the lower and the upper half of the bytes, are added in pairs, and these in pairs.
llvm::Value* ByteProductEmitter::add_long(llvm::Value* sums, llvm::Value* elements, llvm::Value* weights) {
  const int half = kBytesOfLane * lanes_ / 2;
  const auto pairs_of_half = [&](int first) {
    std::vector<int> bytes;
    for (int i = 0; i < half; ++i) bytes.push_back(first + i);
    llvm::Value* products = builder_.CreateIntrinsic(
        llvm::Intrinsic::aarch64_neon_smull, {vector_of(16, half)},
        {builder_.CreateShuffleVector(elements, bytes), builder_.CreateShuffleVector(weights, bytes)});
    return builder_.CreateIntrinsic(llvm::Intrinsic::aarch64_neon_saddlp,
                                    {vector_of(32, half / 2), vector_of(16, half)}, {products});
  };
  llvm::Value* lower = pairs_of_half(0);
  llvm::Value* upper = pairs_of_half(half);
  return builder_.CreateAdd(
      sums, builder_.CreateIntrinsic(llvm::Intrinsic::aarch64_neon_addp, {sums->getType()}, {lower, upper}));
}

// Each half of the bytes gives sums of pairs, which are added to their neighbours.
llvm::Value* ByteProductEmitter::add_words(llvm::Value* sums, llvm::Value* elements, llvm::Value* weights) {
  const int half = kBytesOfLane * lanes_ / 2;
  const auto pairs_of_half = [&](int first) {
    const auto words = [&](llvm::Value* bytes) {
      return builder_.CreateSExt(builder_.CreateShuffleVector(bytes, numbers(first, half, 1)), vector_of(16, half));
    };
    return builder_.CreateIntrinsic(llvm::Intrinsic::wasm_dot, {}, {words(elements), words(weights)});
  };
  llvm::Value* lower = pairs_of_half(0);
  llvm::Value* upper = pairs_of_half(half);
  llvm::Value* even = builder_.CreateShuffleVector(lower, upper, numbers(0, lanes_, 2));
  llvm::Value* odd = builder_.CreateShuffleVector(lower, upper, numbers(1, lanes_, 2));
  return builder_.CreateAdd(sums, builder_.CreateAdd(even, odd));
}

// The sum of two products is at most 2 * 127 * 127, which fits in 16 bits. Neighbours are added twice.
llvm::Value* ByteProductEmitter::add_wide(llvm::Value* sums, llvm::Value* elements, llvm::Value* weights) {
  const auto widened = [&](llvm::Value* bytes) {
    return builder_.CreateSExt(bytes, vector_of(16, kBytesOfLane * lanes_));
  };
  const auto add_neighbours = [&](llvm::Value* products, int count) {
    return builder_.CreateAdd(builder_.CreateShuffleVector(products, numbers(0, count, 2)),
                              builder_.CreateShuffleVector(products, numbers(1, count, 2)));
  };
  llvm::Value* pairs = add_neighbours(builder_.CreateMul(widened(elements), widened(weights)), 2 * lanes_);
  return builder_.CreateAdd(sums, add_neighbours(builder_.CreateSExt(pairs, vector_of(32, 2 * lanes_)), lanes_));
}

llvm::Value* ByteProductEmitter::add_row(llvm::Value* sum, llvm::Value* elements, llvm::Value* weights) {
  llvm::Value* no = builder_.getInt32(0);  // neither unsigned, nor subtracted, nor exchanged
  return emit_opaque(builder_, builder_.CreateIntrinsic(llvm::Intrinsic::arm_mve_vmldava, {elements->getType()},
                                                        {no, no, no, sum, elements, weights}));
}

// Each lane is a register for integers, and its four weights are a word.
llvm::Value* ByteProductEmitter::add_dual(llvm::Value* sums, const ByteElements& elements, llvm::Value* weights) {
  std::vector<llvm::Value*> words;
  llvm::Value* all = builder_.CreateBitCast(weights, vector_of(32, lanes_));
  for (int lane = 0; lane < lanes_; ++lane)
    words.push_back(builder_.CreateExtractElement(all, builder_.getInt64(static_cast<std::uint64_t>(lane))));
  words.insert(words.end(), {elements.odd, elements.mixed});
  words = emit_together(builder_, words);
  llvm::Value *odd = words[words.size() - 2], *mixed = words.back();
  for (int lane = 0; lane < lanes_; ++lane) {
    const auto at = static_cast<std::uint64_t>(lane);
    llvm::Value* word = words[at];
    llvm::Value* even = builder_.CreateIntrinsic(llvm::Intrinsic::arm_sxtb16, {}, {word});
    llvm::Value* sum = builder_.CreateExtractElement(sums, at);
    const auto* start = llvm::dyn_cast<llvm::Constant>(sum);
    if (start && start->isNullValue())
      sum = builder_.CreateIntrinsic(llvm::Intrinsic::arm_smuad, {}, {word, odd});
    else
      sum = builder_.CreateIntrinsic(llvm::Intrinsic::arm_smlad, {}, {word, odd, sum});
    sum = builder_.CreateIntrinsic(llvm::Intrinsic::arm_smlad, {}, {even, mixed, sum});
    sums = builder_.CreateInsertElement(sums, lane == lanes_ - 1 ? emit_barrier(builder_, sum) : sum, at);
  }
  return sums;
}

}  // namespace rnnc::compiler
