// The innermost code: one tile of a stage, straight line but for the loops over the columns of its products.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include "compiler/emit_stage.hpp"

namespace rnnc::compiler {

/// A tile in place: its first row and block (i64). `has_tail` tells that its last block is the stage's last and not
/// full.
struct TilePlace {
  Tile tile;
  llvm::Value* row = nullptr;
  llvm::Value* block = nullptr;
  bool has_tail = false;
};

/// What a reduction begins with in every lane.
float reduction_start(bool is_sum);

/// With `row_by_row` the element-wise part of a tile of several rows is a loop.
void emit_tile(llvm::IRBuilder<>& builder, const StageContext& context, const Stage& stage, bool row_by_row,
               const TilePlace& place);

}  // namespace rnnc::compiler
