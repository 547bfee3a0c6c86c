// Functions that stages call to extend the accumulators of a tile of rows by some columns of a product. A function
// depends on the tile's form alone, so that all products whose tiles are alike share it: less code to generate.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <compare>
#include <map>

#include "compiler/schedule/target.hpp"
#include "runtime/number_format.hpp"

namespace rnnc::compiler {

struct TileForm {
  int rows = 1;
  int vectors = 1;                                     // of weights, of each column
  int lanes = 0;                                       // of a vector
  runtime::NumberFormat format = runtime::kRowFormat;  // of the weights
  bool fetch_ahead = false;
  friend auto operator<=>(const TileForm&, const TileForm&) = default;
};

/// Accumulators in memory, each aligned to its size. Strides are i64, in floats.
struct Accumulators {
  llvm::Value* base = nullptr;
  llvm::Value *row = nullptr, *vector = nullptr;
};

struct TileCall {
  llvm::Value* weights = nullptr;  // of the first column
  llvm::Value* x = nullptr;        // the first row's elements at the first column
  llvm::Value* x_stride = nullptr;
  llvm::Value* columns = nullptr;
  Accumulators from, to;
  llvm::Value* fetch_ahead = nullptr;  // a line for each column is fetched from here on, where the form says so
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
