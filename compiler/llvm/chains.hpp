// The operands of a stacked product become loops over its columns: chains of fused multiply-adds for a few rows and
// blocks of units.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <cstdint>
#include <vector>

#include "compiler/llvm/functions.hpp"
#include "compiler/llvm/loops.hpp"
#include "compiler/llvm/types.hpp"
#include "compiler/schedule/target.hpp"
#include "runtime/number_format.hpp"

namespace rnnc::compiler {

/// Packed weights lie column after column, with `vectors` vectors for each (the layout is drawn in
/// compiler/schedule/plan.hpp). A stream has the weights of one block, or of blocks that are packed side by side, or
/// `vectors` of the `in_memory` that these have for a column.
struct WeightStream {
  WeightStream(llvm::Value* all, int count) : WeightStream(all, count, count) {}
  WeightStream(llvm::Value* first, int count, int of) : base(first), vectors(count), in_memory(of) {}

  llvm::Value* base;
  int vectors, in_memory;
};

/// A product multiplies a vector of elements for each row by the weights of each block.
struct ProductOperands {
  Values rows;
  std::vector<WeightStream> weights;
  runtime::NumberFormat format = runtime::kRowFormat;  // the format of the weights
  int lanes = 0;                                       // the lanes of a vector of weights

  std::size_t vectors() const;
};

/// Emits the fetch of cache line `line` (i64) behind `from` into L2.
void fetch_line(llvm::IRBuilder<>& builder, llvm::Value* from, llvm::Value* line);

class ChainEmitter {
 public:
  ChainEmitter(llvm::IRBuilder<>& builder, const Target& target, ProductOperands operands);

  /// Adds all `columns` to `chains` ([row][vector]) in order; one pass of the loop takes several columns.
  Values run(std::int64_t columns, Values chains);

  /// Adds a number of columns (i64) that is known only at run time; one pass takes one column. Each pass fetches a
  /// cache line from `fetch_ahead` on into L2, unless `fetch_ahead` is null.
  Values run(llvm::Value* columns, Values chains, llvm::Value* fetch_ahead);

 private:
  using Load = llvm::function_ref<llvm::Value*(std::size_t)>;

  // The operands of one pass of the loop, the rows' elements and the blocks' weights, begin at these addresses.
  struct Pass {
    Values rows, weights;
  };

  llvm::Value* number(std::int64_t value);
  Pass begin_pass(llvm::Value* column);
  llvm::Value* begin_of(llvm::Value* weights);
  llvm::Value* load_vector(llvm::Value* weights, std::int64_t vector);
  void extend(const Pass& pass, std::int64_t k, Values& chains);
  void multiply(std::size_t held_count, Load load_held, std::size_t passing_count, Load load_passing,
                llvm::function_ref<std::size_t(std::size_t, std::size_t)> chain_at, Values& chains);

  llvm::IRBuilder<>& builder_;
  HalfWidening half_;
  std::int64_t most_columns_;  // of a pass
  bool folds_offsets_;
  ProductOperands operands_;
  std::size_t vectors_;  // the vectors of a column
  FunctionEmitter functions_;
};

}  // namespace rnnc::compiler
