// One stage as vector IR: for every tile of rows and blocks of units, the chains of the products in registers, the
// element-wise graph behind them, and the stores.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <array>

#include "compiler/plan.hpp"
#include "compiler/stages.hpp"
#include "compiler/target.hpp"

namespace rnnc::compiler {

/// Where the rows of a space begin, and how many floats lie between two of them.
struct Rows {
  llvm::Value* base = nullptr;
  llvm::Value* stride = nullptr;
};

using RowSpaces = std::array<Rows, kSpaces>;

struct StageContext {
  const Schedule& schedule;
  const Plan& plan;
  const Target& target;
  const RowSpaces& spaces;
};

/// Emits stage `index` for `rows` rows (i64) at the builder's insertion point.
void emit_stage(llvm::IRBuilder<>& builder, const StageContext& context, std::size_t index, llvm::Value* rows);

}  // namespace rnnc::compiler
