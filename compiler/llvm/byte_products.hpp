// Products of bytes are added up in lanes of 32 bits by the instructions that a CPU has for them. All ways give the
// same sums: none saturates.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include "compiler/schedule/target.hpp"

namespace rnnc::compiler {

/// Four elements of a vector, the same in every lane. An element is -127 to 127, or -128 which marks that it is no
/// number and whose products nobody reads.
struct ByteElements {
  llvm::Value* bytes = nullptr;                               // <4 * lanes x i8>
  llvm::Value *magnitudes = nullptr, *is_negative = nullptr;  // for ByteProducts::Signs alone
};

class ByteProductEmitter {
 public:
  ByteProductEmitter(llvm::IRBuilderBase& builder, const Target& target, int lanes)
      : builder_(builder), way_(target.byte_products), lanes_(lanes) {}

  /// Tells whether a product takes several instructions.
  bool is_long() const { return way_ != ByteProducts::Unsigned && way_ != ByteProducts::Signed; }

  /// Makes elements of four successive bytes (i32). For ByteProducts::Unsigned, the bytes are 128 more than the
  /// elements.
  ByteElements elements(llvm::Value* four);

  /// Adds to each lane of `sums` (<lanes x i32>) the four products of its bytes. Weights are <4 * lanes x i8>, each
  /// -127 to 127.
  llvm::Value* add(llvm::Value* sums, const ByteElements& elements, llvm::Value* weights);

 private:
  llvm::FixedVectorType* vector_of(unsigned bits, int count);
  llvm::Value* add_by_signs(llvm::Value* sums, const ByteElements& elements, llvm::Value* weights);
  llvm::Value* add_long(llvm::Value* sums, llvm::Value* elements, llvm::Value* weights);
  llvm::Value* add_words(llvm::Value* sums, llvm::Value* elements, llvm::Value* weights);

  llvm::IRBuilderBase& builder_;
  ByteProducts way_;
  int lanes_;
};

}  // namespace rnnc::compiler
