// The sums of one row and one vector of integer weights: of the products of high digits and, where the row's integers
// have two digits, of those with one low digit. They are added to group by group and end as floats.
#pragma once

#include "compiler/llvm/byte_products.hpp"
#include "compiler/llvm/loops.hpp"
#include "compiler/llvm/types.hpp"

namespace rnnc::compiler {

class DigitSums {
 public:
  DigitSums(llvm::IRBuilder<>& builder, const Target& target, runtime::NumberFormat format, int lanes);

  std::size_t sums() const { return of_vector_ == 2 ? 2 : 1; }
  int of_vector() const { return of_vector_; }  // the digits of a row's integers
  int words_of_elements() const { return of_vector_ * bytes_.words_of_elements(); }
  bool is_long() const { return bytes_.is_long(); }
  /// Returns the bytes of a vector of weights of one group.
  std::int64_t weight_bytes() const { return std::int64_t{lanes_} * runtime::kColumnsOfGroup * of_weights_; }

  /// Loads the sums that vector number `vector` (i64) begins with from `starts`, the address of those of vector 0. Sums
  /// are zeros where that is null.
  Values begin(llvm::Value* starts, llvm::Value* vector);

  /// Load the digits of a group, high ones first.
  std::vector<ByteElements> load_elements(llvm::Value* at);
  Values load_weights(llvm::Value* at);

  void add(llvm::MutableArrayRef<llvm::Value*> sums, llvm::ArrayRef<ByteElements> elements,
           llvm::ArrayRef<llvm::Value*> weights);

  /// Load sixteen digits of a row of the vector, high ones first, and as many of a row of weights; and add their
  /// products to `sums`, which are i32. These are for ByteProducts::Rows.
  Values load_row_elements(llvm::Value* at);
  Values load_row_weights(llvm::Value* at);
  void add_row(llvm::MutableArrayRef<llvm::Value*> sums, llvm::ArrayRef<llvm::Value*> elements,
               llvm::ArrayRef<llvm::Value*> weights);

  /// Returns the float of the sums of a vector. With ByteProducts::Dual, sums may still be 256 times too large.
  llvm::Value* as_float(llvm::ArrayRef<llvm::Value*> sums, bool are_times_256 = false);

 private:
  llvm::Value* number(std::int64_t value) { return builder_.getInt64(static_cast<std::uint64_t>(value)); }

  llvm::IRBuilder<>& builder_;
  ByteProductEmitter bytes_;
  int of_vector_, of_weights_, lanes_;
};

}  // namespace rnnc::compiler
