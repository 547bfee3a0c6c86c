// The operands of a product of integers become loops over groups of its columns: exact sums for a few rows and blocks
// of units, which end as floats. The scale of a row of weights is not in them yet.
#pragma once

#include "compiler/llvm/chains.hpp"
#include "compiler/llvm/digit_sums.hpp"

namespace rnnc::compiler {

class IntegerSums {
 public:
  IntegerSums(llvm::IRBuilder<>& builder, const Target& target, ProductOperands operands);

  /// Returns the sums of one row as `run` does, on a CPU that sums vectors alone. What a sum needs is emitted when it
  /// is asked for, but for loops that several sums share.
  std::vector<Deferred> defer(std::int64_t groups);

  /// Adds up all `groups` of columns and returns the sums as floats [row][vector]. `starts` is the address of the start
  /// values that lie behind the panel; null where sums start from zero.
  Values run(std::int64_t groups, llvm::Value* starts);

  /// Adds up a number of groups (i64) that is known only at run time; each pass fetches a cache line from `fetch_ahead`
  /// on into L2, unless that is null.
  Values run(llvm::Value* groups, llvm::Value* starts, llvm::Value* fetch_ahead);

 private:
  llvm::Value* number(std::int64_t value) { return builder_.getInt64(static_cast<std::uint64_t>(value)); }
  std::vector<Deferred> sums_of_vectors(const WeightStream& stream, std::int64_t groups);
  Values sums_of_vector(const WeightStream& vector, std::int64_t groups);
  Values sums_of_rows(const WeightStream& stream, int vector, std::int64_t groups);
  void add_rows(llvm::Value* set, llvm::Value* weights, llvm::MutableArrayRef<llvm::Value*> sums);
  Values add_groups(std::int64_t first, std::int64_t end, Values sums);
  Values begin(llvm::Value* starts);
  void extend(llvm::Value* group, std::int64_t ahead, llvm::MutableArrayRef<llvm::Value*> sums);
  std::vector<ByteElements> load_elements(llvm::Value* row, llvm::Value* group, std::int64_t ahead);
  Values load_weights(std::size_t vector, llvm::Value* group, std::int64_t ahead);
  Values as_floats(const Values& sums);

  llvm::IRBuilder<>& builder_;
  const Target& target_;
  ProductOperands operands_;
  DigitSums digits_;
  std::size_t vectors_;
};

}  // namespace rnnc::compiler
