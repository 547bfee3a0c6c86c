// The loops over the columns of a stacked product: chains of fused multiply-adds for a tile of rows and blocks.
#pragma once

#include "compiler/tile.hpp"

namespace rnnc::compiler {

/// Columns [begin, end) (i64) of `product`, added to `chains` ([row][block][gate]) in order. Unless the columns are all
/// of the product's, their number is a multiple of 4, or of 1 where the product's is not. Each pass over some columns
/// fetches a cache line of what lies at `fetch_ahead` into L2, unless that is null.
Values extend_chains(llvm::IRBuilder<>& builder, const StageContext& context, const TilePlace& place, Tile& tile,
                     ir::Value product, llvm::Value* begin, llvm::Value* end, Values chains,
                     llvm::Value* fetch_ahead = nullptr);

}  // namespace rnnc::compiler
