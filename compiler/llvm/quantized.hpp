// Vectors of floats become bytes of integers in memory, and such bytes are searched for the mark of an element that was
// no number in the range. docs/numerics.md defines the integers.
#pragma once

#include <llvm/IR/IRBuilder.h>

namespace rnnc::compiler {

/// The bytes of a vector's elements: of one or two digits, and 128 more than the digits where they are `shifted`.
struct ByteForm {
  int digits = 1;
  bool shifted = false;
  bool is_marked = true;       // elements out of range are marked
  bool is_clipped = true;      // elements are clipped before they are rounded, and not left out of range
  bool compares_bits = false;  // the range is checked with a comparison of integers, which NaN is out of as well

  /// A high digit of -128 marks an element that was NaN or out of range.
  std::uint8_t mark() const { return shifted ? 0 : 128; }
  std::uint8_t zero() const { return shifted ? 128 : 0; }
};

/// Rounds `scaled` (<lanes x float>) and returns the bytes of its digits in their order in memory. Lanes that `units`
/// (<lanes x i1>) excludes become zeros; null excludes none.
llvm::Value* emit_bytes(llvm::IRBuilderBase& builder, const ByteForm& form, llvm::Value* scaled, llvm::Value* units);

/// Emits whether no element is marked (i1) of `count` bytes from `bytes` on. `lanes` is that of the code's vectors, and
/// `count` a multiple of it.
llvm::Value* emit_all_numbers(llvm::IRBuilder<>& builder, const ByteForm& form, llvm::Value* bytes, std::int64_t count,
                              int lanes);

/// The same for a CPU without vectors of bytes, which takes a word at a time. `count` is a multiple of 4.
llvm::Value* emit_all_numbers_in_words(llvm::IRBuilder<>& builder, const ByteForm& form, llvm::Value* bytes,
                                       std::int64_t count);

/// Emits the pairs that ByteProducts::Dual multiplies (byte_products.hpp) of `words` of four elements each, and returns
/// their address, which is on the stack.
llvm::Value* emit_dual_pairs(llvm::IRBuilder<>& builder, llvm::Value* elements, std::int64_t words);

}  // namespace rnnc::compiler
