// A stage and its plan become vector IR: the chains of its products, the element-wise graph behind them, and the
// stores, for all rows and blocks of units, in the order that the plan chose.
#pragma once

#include "compiler/llvm/tile.hpp"

namespace rnnc::compiler {

/// Emits stage `index` for `rows` rows (i64, >= 1) at the builder's insertion point.
void emit_stage(llvm::IRBuilder<>& builder, const StageContext& context, std::size_t index, llvm::Value* rows);

/// Emits a part of a stage, which has the plan of the stage.
void emit_part(llvm::IRBuilder<>& builder, const StageContext& context, const Stage& part, const StagePlan& plan,
               llvm::Value* rows);

}  // namespace rnnc::compiler
