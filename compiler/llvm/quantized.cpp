#include "compiler/llvm/quantized.hpp"

#include <llvm/IR/Constants.h>
#include <llvm/IR/IntrinsicsARM.h>

#include <vector>

#include "compiler/llvm/byte_products.hpp"
#include "compiler/llvm/loops.hpp"
#include "compiler/llvm/types.hpp"

namespace rnnc::compiler {
namespace {

// A float of magnitude up to 2^22 is rounded to nearest and even by adding this number, whose last bit is worth 1; the
// low bits of the sum are then those of the integer.
constexpr float kRounder = 0x1.8p23f;

class Digits {
 public:
  Digits(llvm::IRBuilderBase& builder, const ByteForm& form, llvm::Value* scaled)
      : builder_(builder),
        form_(form),
        lanes_(llvm::cast<llvm::FixedVectorType>(scaled->getType())->getNumElements()),
        floats_(scaled->getType()),
        words_(llvm::FixedVectorType::get(builder.getInt32Ty(), lanes_)) {}

  llvm::Value* bytes(llvm::Value* scaled, llvm::Value* units) {
    const auto most = static_cast<double>(runtime::most_of_digits(form_.digits));
    llvm::Value* in_range = form_.is_marked ? is_in_range(scaled) : nullptr;
    if (form_.is_clipped) {
      llvm::Constant *upper = llvm::ConstantFP::get(floats_, most), *lower = llvm::ConstantFP::get(floats_, -most);
      scaled = builder_.CreateSelect(builder_.CreateFCmpOLT(scaled, upper), scaled, upper);
      scaled = builder_.CreateSelect(builder_.CreateFCmpOGT(scaled, lower), scaled, lower);
    }
    llvm::Value* rounder = llvm::ConstantFP::get(floats_, kRounder);
    llvm::Value* sum = builder_.CreateFAdd(scaled, rounder);
    if (form_.digits == 1) return truncated(masked(sum, in_range, form_.mark(), units));
    // The nearest multiple of the base is never halfway between two, since the base is odd.
    llvm::Value* base = llvm::ConstantFP::get(floats_, runtime::kDigitBase);
    llvm::Value* integer = builder_.CreateFSub(sum, rounder);
    llvm::Value* share = builder_.CreateFMul(integer, llvm::ConstantFP::get(floats_, 1.0 / runtime::kDigitBase));
    llvm::Value* high_sum = builder_.CreateFAdd(share, rounder);
    llvm::Value* high = builder_.CreateFSub(high_sum, rounder);
    llvm::Value* low = builder_.CreateFSub(integer, builder_.CreateFMul(high, base));
    llvm::Value* low_sum = builder_.CreateFAdd(low, rounder);
    return interleaved(truncated(masked(high_sum, in_range, form_.mark(), units)),
                       truncated(masked(low_sum, in_range, form_.zero(), units)));
  }

 private:
  llvm::Constant* word(std::uint8_t value) { return llvm::ConstantInt::get(words_, value); }

  llvm::Value* is_in_range(llvm::Value* scaled) {
    llvm::Constant* beyond = llvm::ConstantFP::get(floats_, runtime::beyond_digits(form_.digits));
    if (!form_.compares_bits)
      return builder_.CreateFCmpOLT(builder_.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, scaled), beyond);
    const auto without_sign = [&](llvm::Value* floats) {
      return builder_.CreateShl(builder_.CreateBitCast(floats, words_), 1);
    };
    return builder_.CreateICmpULT(without_sign(scaled), without_sign(beyond));
  }

  // Returns the integers of a sum with the rounder, `otherwise` where they are out of range; null stands for nowhere.
  llvm::Value* masked(llvm::Value* sum, llvm::Value* in_range, std::uint8_t otherwise, llvm::Value* units) {
    llvm::Value* integers = builder_.CreateBitCast(sum, words_);
    if (form_.shifted) integers = builder_.CreateXor(integers, word(form_.zero()));
    if (in_range) integers = builder_.CreateSelect(in_range, integers, word(otherwise));
    return units ? builder_.CreateSelect(units, integers, word(form_.zero())) : integers;
  }

  llvm::Value* truncated(llvm::Value* words) {
    return builder_.CreateTrunc(words, llvm::FixedVectorType::get(builder_.getInt8Ty(), lanes_));
  }

  // Four high digits come before four low ones.
  llvm::Value* interleaved(llvm::Value* high, llvm::Value* low) {
    const unsigned groups = lanes_ / unsigned{runtime::kColumnsOfGroup};
    auto* as_groups = llvm::FixedVectorType::get(builder_.getInt32Ty(), groups);
    std::vector<int> order;
    for (unsigned group = 0; group < groups; ++group) {
      order.push_back(static_cast<int>(group));
      order.push_back(static_cast<int>(groups + group));
    }
    llvm::Value* both = builder_.CreateShuffleVector(builder_.CreateBitCast(high, as_groups),
                                                     builder_.CreateBitCast(low, as_groups), order);
    return builder_.CreateBitCast(both, llvm::FixedVectorType::get(builder_.getInt8Ty(), 2 * lanes_));
  }

  llvm::IRBuilderBase& builder_;
  const ByteForm& form_;
  unsigned lanes_;
  llvm::Type* floats_;
  llvm::FixedVectorType* words_;
};

}  // namespace

llvm::Value* emit_bytes(llvm::IRBuilderBase& builder, const ByteForm& form, llvm::Value* scaled, llvm::Value* units) {
  return Digits(builder, form, scaled).bytes(scaled, units);
}

llvm::Value* emit_all_numbers(llvm::IRBuilder<>& builder, const ByteForm& form, llvm::Value* bytes, std::int64_t count,
                              int lanes) {
  constexpr std::int64_t kMostWithoutLoop = 16;
  const std::int64_t width = 4 * std::int64_t{lanes};  // the bytes of a register
  const auto number = [&](std::int64_t value) { return builder.getInt64(static_cast<std::uint64_t>(value)); };
  const auto vector = [&](std::int64_t size) {
    return llvm::FixedVectorType::get(builder.getInt8Ty(), static_cast<unsigned>(size));
  };
  const auto load = [&](llvm::Value* at, std::int64_t size) {
    llvm::Value* from = builder.CreateGEP(builder.getInt8Ty(), bytes, at);
    return builder.CreateAlignedLoad(vector(size), from, llvm::Align(static_cast<std::uint64_t>(lanes)));
  };
  // The mark is the smallest of all bytes, as a signed or an unsigned number.
  const auto smaller = form.shifted ? llvm::Intrinsic::umin : llvm::Intrinsic::smin;
  const auto has_mark = [&](llvm::Value* smallest, std::int64_t size) {
    llvm::Value* marks = builder.CreateICmpEQ(smallest, llvm::ConstantInt::get(vector(size), form.mark()));
    llvm::Value* bits = builder.CreateBitCast(marks, builder.getIntNTy(static_cast<unsigned>(size)));
    return builder.CreateICmpNE(bits, llvm::Constant::getNullValue(bits->getType()));
  };
  llvm::Value* any = builder.getFalse();
  const std::int64_t whole = count / width;
  if (whole > 0) {
    llvm::Value* smallest = load(number(0), width);
    if (whole <= kMostWithoutLoop)
      for (std::int64_t i = 1; i < whole; ++i)
        smallest = builder.CreateBinaryIntrinsic(smaller, smallest, load(number(i * width), width));
    else
      smallest = emit_for(builder, number(width), number(whole * width), width, {smallest},
                          [&](llvm::Value* at, Values carried) {
                            return Values{builder.CreateBinaryIntrinsic(smaller, carried[0], load(at, width))};
                          })[0];
    any = has_mark(smallest, width);
  }
  for (std::int64_t at = whole * width; at < count; at += lanes)
    any = builder.CreateOr(any, has_mark(load(number(at), lanes), lanes));
  return builder.CreateNot(any);
}

// A byte is the mark where its difference from the mark is 0, and 1 minus that is 1 and not less.
llvm::Value* emit_all_numbers_in_words(llvm::IRBuilder<>& builder, const ByteForm& form, llvm::Value* bytes,
                                       std::int64_t count) {
  constexpr std::int64_t kWordsOfPass = 8;
  constexpr std::uint32_t kEach = 0x01010101;
  const auto number = [&](std::int64_t value) { return builder.getInt64(static_cast<std::uint64_t>(value)); };
  const auto add = [&](llvm::Value* found, llvm::Value* word) {
    llvm::Value* at = builder.CreateGEP(builder.getInt32Ty(), bytes, word);
    llvm::Value* difference =
        builder.CreateXor(builder.CreateAlignedLoad(builder.getInt32Ty(), at, llvm::Align(4)), kEach * form.mark());
    return builder.CreateOr(
        found, builder.CreateIntrinsic(llvm::Intrinsic::arm_uqsub8, {}, {builder.getInt32(kEach), difference}));
  };
  const std::int64_t words = count / 4, in_loop = words / kWordsOfPass * kWordsOfPass;
  llvm::Value* found = emit_for(builder, number(0), number(in_loop), kWordsOfPass, {builder.getInt32(0)},
                                [&](llvm::Value* word, Values carried) {
                                  for (std::int64_t i = 0; i < kWordsOfPass; ++i)
                                    carried[0] = add(carried[0], builder.CreateAdd(word, number(i)));
                                  return carried;
                                })[0];
  for (std::int64_t word = in_loop; word < words; ++word) found = add(found, number(word));
  return builder.CreateICmpEQ(found, builder.getInt32(0));
}

llvm::Value* emit_dual_pairs(llvm::IRBuilder<>& builder, llvm::Value* elements, std::int64_t words) {
  constexpr std::int64_t kWordsOfPass = 4;
  llvm::Type* word_type = builder.getInt32Ty();
  const auto number = [&](std::int64_t value) { return builder.getInt64(static_cast<std::uint64_t>(value)); };
  llvm::AllocaInst* pairs = stack_slot(builder, llvm::ArrayType::get(word_type, static_cast<std::uint64_t>(2 * words)));
  pairs->setAlignment(llvm::Align(8));  // both words of four elements are one load
  const auto make = [&](llvm::Value* word) {
    llvm::Value* four =
        builder.CreateAlignedLoad(word_type, builder.CreateGEP(word_type, elements, word), llvm::Align(4));
    llvm::Value* turned =
        builder.CreateIntrinsic(llvm::Intrinsic::fshr, {word_type}, {four, four, builder.getInt32(8)});
    llvm::Value* odd = builder.CreateIntrinsic(llvm::Intrinsic::arm_sxtb16, {}, {turned});
    llvm::Value* even = builder.CreateAnd(builder.CreateShl(four, 8), 0xff00ff00);  // times 256
    llvm::Value* mixed = builder.CreateIntrinsic(llvm::Intrinsic::arm_ssub16, {}, {even, odd});
    llvm::Value* to = builder.CreateGEP(word_type, pairs, builder.CreateMul(word, number(2)));
    const std::vector<llvm::Value*> both = emit_together(builder, {odd, mixed});
    builder.CreateAlignedStore(both[0], to, llvm::Align(8));
    builder.CreateAlignedStore(both[1], builder.CreateGEP(word_type, to, number(1)), llvm::Align(4));
  };
  const std::int64_t in_loop = words / kWordsOfPass * kWordsOfPass;
  emit_for(builder, number(0), number(in_loop), kWordsOfPass, [&](llvm::Value* word) {
    for (std::int64_t i = 0; i < kWordsOfPass; ++i) make(builder.CreateAdd(word, number(i)));
  });
  for (std::int64_t word = in_loop; word < words; ++word) make(number(word));
  return pairs;
}

}  // namespace rnnc::compiler
