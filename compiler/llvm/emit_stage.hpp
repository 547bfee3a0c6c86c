// A stage and its plan become vector IR: the chains of its products, the element-wise graph behind them, and the
// stores, for all rows and blocks of units, in the order that the plan chose.
#pragma once

#include "compiler/llvm/tile.hpp"

namespace rnnc::compiler {

/// Emits stage `index` for `rows` rows (i64, >= 1) at the builder's insertion point.
void emit_stage(llvm::IRBuilder<>& builder, const StageContext& context, std::size_t index, llvm::Value* rows);

}  // namespace rnnc::compiler
