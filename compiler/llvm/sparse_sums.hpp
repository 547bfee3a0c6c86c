// A vector of a sparse panel becomes a loop over its entries: exact sums for a few rows, which end as floats. The scale
// of a row of weights is not in them yet. runtime/sparse_panel.hpp draws the panel.
#pragma once

#include "compiler/llvm/digit_sums.hpp"
#include "compiler/schedule/plan.hpp"

namespace rnnc::compiler {

class SparseSums {
 public:
  /// The panel begins at `base`, and `rows` are the addresses of the integers that it multiplies.
  SparseSums(llvm::IRBuilder<>& builder, const Target& target, const Panel& panel, llvm::Value* base, Values rows);

  /// Returns the sums of vector number `vector` (i64) of the panel with each row, as floats. `starts` is the address of
  /// the start values of vector 0; null where sums start from zero.
  Values run(llvm::Value* vector, llvm::Value* starts);

 private:
  llvm::Value* number(std::int64_t value) { return builder_.getInt64(static_cast<std::uint64_t>(value)); }
  llvm::Value* entry_of(llvm::Value* vector);
  void extend(llvm::Value* entry, Values& sums);

  llvm::IRBuilder<>& builder_;
  DigitSums digits_;
  Values rows_;
  std::size_t ways_;
  llvm::Value *first_entries_, *weights_, *groups_;
};

}  // namespace rnnc::compiler
