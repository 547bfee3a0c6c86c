// Products of bytes are added up in lanes of 32 bits by the instructions that a CPU has for them. All ways give the
// same sums: none saturates.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <vector>

#include "compiler/schedule/target.hpp"

namespace rnnc::compiler {

/// ByteProducts::Dual multiplies pairs of 16 bits with smlad. Two neighbouring weights b0 and b1 are kept as the
/// integer 256 b1 + b0, so that a word of four weights is a pair as it is, and sxtb16 makes the pair of b0 and b2 of
/// it. Four elements x0 to x3 are kept as the pairs (x1, x3) and (256 x0 - x1, 256 x2 - x3). The products of both add
/// up to 256 (x0 b0 + x1 b1), so that four multiply-adds take three instructions. A sum of kDualGroups groups fits in
/// 32 bits.
inline constexpr std::int64_t kDualGroups = 128;
static_assert(256 * 4 * kDualGroups * 127 * 127 < (std::int64_t{1} << 31));

/// ByteProducts::Rows takes four groups of columns at once. The weights of a block lie as [vector][four groups][digit]
/// [lane][column] for it; groups that are left over lie behind, as [group][vector][digit][lane][column].
inline constexpr std::int64_t kGroupsOfRow = 4;

/// Four elements of a vector, the same in every lane. An element is -127 to 127, or -128 which marks that it is no
/// number and whose products nobody reads.
struct ByteElements {
  llvm::Value* bytes = nullptr;                               // <4 * lanes x i8>
  llvm::Value *magnitudes = nullptr, *is_negative = nullptr;  // for ByteProducts::Signs alone
  llvm::Value *odd = nullptr, *mixed = nullptr;               // for ByteProducts::Dual alone: pairs of 16 bits (i32)
};

/// Emits a value that is `value`, an address, an integer of 32 bits or a vector of MVE, and of which LLVM does not know
/// what it is. No instruction comes of it.
llvm::Value* emit_opaque(llvm::IRBuilderBase& builder, llvm::Value* value);

/// The same; and loads that follow stay behind it. LLVM would load the weights of many groups before it multiplies the
/// first, and keep them on the stack.
llvm::Value* emit_barrier(llvm::IRBuilderBase& builder, llvm::Value* value);

/// Returns the words (i32), all of which are there before anything else is done with one of them. So LLVM loads or
/// stores two with one instruction, which it does only for those that stand side by side.
std::vector<llvm::Value*> emit_together(llvm::IRBuilderBase& builder, std::vector<llvm::Value*> words);

/// Converts sums of ByteProducts::Dual, which are 256 times too large, to floats of the sums (<lanes x float>).
llvm::Value* emit_fraction_to_float(llvm::IRBuilderBase& builder, llvm::Value* sums);

class ByteProductEmitter {
 public:
  ByteProductEmitter(llvm::IRBuilderBase& builder, const Target& target, int lanes)
      : builder_(builder), way_(target.byte_products), lanes_(lanes) {}

  /// Tells whether a product takes several instructions.
  bool is_long() const { return !adds_at_once(way_); }

  /// Returns the words (i32) in which a row has four elements.
  int words_of_elements() const { return way_ == ByteProducts::Dual ? 2 : 1; }

  /// Makes elements of such words. For ByteProducts::Unsigned, the bytes are 128 more than the
  /// elements.
  ByteElements elements(llvm::ArrayRef<llvm::Value*> words);

  /// Adds to each lane of `sums` (<lanes x i32>) the four products of its bytes. Weights are <4 * lanes x i8>, each
  /// -127 to 127.
  llvm::Value* add(llvm::Value* sums, const ByteElements& elements, llvm::Value* weights);

  /// Adds to `sum` (i32) the products of sixteen elements and as many weights of a row, both <16 x i8>, with
  /// ByteProducts::Rows.
  llvm::Value* add_row(llvm::Value* sum, llvm::Value* elements, llvm::Value* weights);

 private:
  llvm::FixedVectorType* vector_of(unsigned bits, int count);
  llvm::Value* add_by_signs(llvm::Value* sums, const ByteElements& elements, llvm::Value* weights);
  llvm::Value* add_long(llvm::Value* sums, llvm::Value* elements, llvm::Value* weights);
  llvm::Value* add_words(llvm::Value* sums, llvm::Value* elements, llvm::Value* weights);
  llvm::Value* add_wide(llvm::Value* sums, llvm::Value* elements, llvm::Value* weights);
  llvm::Value* add_dual(llvm::Value* sums, const ByteElements& elements, llvm::Value* weights);

  llvm::IRBuilderBase& builder_;
  ByteProducts way_;
  int lanes_;
};

}  // namespace rnnc::compiler
