// The form of a tile becomes a function that stages call to extend the accumulators of a tile of rows by some columns
// of a product. A function depends on the form alone, so that all products whose tiles are alike share it, and less
// code is generated.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <compare>
#include <map>

#include "compiler/schedule/target.hpp"
#include "runtime/number_format.hpp"

namespace rnnc::compiler {

struct TileForm {
  int rows = 1;
  int vectors = 1;                                     // the vectors of weights of a column
  int in_memory = 1;                                   // of which so many lie side by side
  int runs = 1;                                        // in which the tile's vectors are so many, as long as each other
  int lanes = 0;                                       // the lanes of a vector
  runtime::NumberFormat format = runtime::kRowFormat;  // the format of the weights
  bool fetch_ahead = false;
  friend auto operator<=>(const TileForm&, const TileForm&) = default;
};

/// Accumulators lie in memory, each aligned to its size. Those of integers come from their start values, which all rows
/// share, and go to memory as floats. The strides `row` and `vector` are i64, in floats.
struct Accumulators {
  llvm::Value* base = nullptr;
  llvm::Value *row = nullptr, *vector = nullptr;
};

struct TileCall {
  llvm::Value* weights = nullptr;  // those of the first column
  llvm::Value* x = nullptr;        // the first row's elements at the first column
  llvm::Value* x_stride = nullptr;
  llvm::Value* columns = nullptr;  // groups of them where weights are integers
  Accumulators from, to;
  llvm::Value* fetch_ahead = nullptr;  // where the form says so, each column fetches a line from here on
};

class TileKernels {
 public:
  TileKernels(llvm::Module& module, const Target& target, llvm::AttributeList attributes)
      : module_(module), target_(target), attributes_(attributes) {}

  void call(llvm::IRBuilder<>& builder, const TileForm& form, const TileCall& call);

 private:
  llvm::Module& module_;
  const Target& target_;
  llvm::AttributeList attributes_;
  std::map<TileForm, llvm::Function*> functions_;
};

}  // namespace rnnc::compiler
