// The loops over the columns of a stacked product: chains of fused multiply-adds for a few rows and blocks of units.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <cstdint>
#include <vector>

#include "compiler/llvm/functions.hpp"
#include "compiler/llvm/loops.hpp"
#include "runtime/number_format.hpp"

namespace rnnc::compiler {

/// Packed weights of one block: column after column, `vectors` vectors for each.
struct WeightStream {
  llvm::Value* base = nullptr;
  int vectors = 0;
};

/// What a product multiplies: a vector of elements for each row, and the weights of each block.
struct ProductOperands {
  Values rows;
  std::vector<WeightStream> weights;
  runtime::NumberFormat format = runtime::kRowFormat;  // of the weights
  int lanes = 0;                                       // of a vector of weights

  std::size_t vectors() const;
};

class ChainEmitter {
 public:
  ChainEmitter(llvm::IRBuilder<>& builder, bool fma, ProductOperands operands);

  /// All `columns`, added to `chains` ([row][vector]) in order, several of them in one pass of the loop.
  Values run(std::int64_t columns, Values chains);

  /// The same for a number of columns (i64) known when it runs, one at a time. Each fetches a cache line of what lies
  /// at `fetch_ahead` into L2, unless that is null.
  Values run(llvm::Value* columns, Values chains, llvm::Value* fetch_ahead);

 private:
  using Load = llvm::function_ref<llvm::Value*(std::size_t)>;

  // The operands of one pass of the loop: where the rows' elements and the blocks' weights begin.
  struct Pass {
    Values rows, weights;
  };

  llvm::Value* number(std::int64_t value);
  Pass begin_pass(llvm::Value* column);
  llvm::Value* load_vector(llvm::Value* weights, std::int64_t vector);
  void fetch(llvm::Value* from, llvm::Value* column);
  void extend(const Pass& pass, std::int64_t k, Values& chains);
  void multiply(std::size_t held_count, Load load_held, std::size_t passing_count, Load load_passing,
                llvm::function_ref<std::size_t(std::size_t, std::size_t)> chain_at, Values& chains);

  llvm::IRBuilder<>& builder_;
  ProductOperands operands_;
  std::size_t vectors_;  // of a column
  FunctionEmitter functions_;
};

}  // namespace rnnc::compiler
