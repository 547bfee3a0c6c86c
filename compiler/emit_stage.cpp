#include "compiler/emit_stage.hpp"

#include <llvm/IR/Constants.h>

#include "compiler/emit_tile.hpp"
#include "compiler/functions.hpp"
#include "compiler/loops.hpp"

namespace rnnc::compiler {
namespace {

constexpr std::int64_t kPartials = 16;  // canonical arithmetic: a reduction is 16 strided partial results and a tree

class StageEmitter {
 public:
  StageEmitter(llvm::IRBuilder<>& builder, const StageContext& context, std::size_t index)
      : builder_(builder),
        context_(context),
        stage_(context.schedule.stages[index]),
        plan_(context.plan.stages[index]),
        blocks_((stage_.units + context.plan.lanes - 1) / context.plan.lanes) {}

  void run(llvm::Value* rows) {
    for (const ReductionStep& reduction : stage_.reductions)
      for_each_row(rows, [&](llvm::Value* row) { clear_partials(reduction, row); });
    llvm::Value* begin = builder_.getInt64(0);
    for (const Tile& tile : plan_.tiles) {
      llvm::Value* end = rows;
      if (tile.rows > 1) {
        llvm::Value* left = builder_.CreateSub(rows, begin);
        llvm::Value* rest = builder_.CreateURem(left, builder_.getInt64(tile.rows));
        end = builder_.CreateSub(rows, rest);
      }
      emit_rows(tile, begin, end);
      begin = end;
    }
    for (const ReductionStep& reduction : stage_.reductions)
      for_each_row(rows, [&](llvm::Value* row) { combine_partials(reduction, row); });
  }

 private:
  void for_each_row(llvm::Value* rows, llvm::function_ref<void(llvm::Value*)> body) {
    emit_for(builder_, builder_.getInt64(0), rows, 1, body);
  }

  // Blocks outside, rows inside: a panel is read from near for all rows but the first.
  void emit_rows(const Tile& tile, llvm::Value* begin, llvm::Value* end) {
    const bool has_tail = stage_.units % context_.plan.lanes != 0;
    const std::int64_t in_loop = (has_tail ? blocks_ - 1 : blocks_) / tile.blocks;
    emit_for(builder_, builder_.getInt64(0), builder_.getInt64(in_loop * tile.blocks), tile.blocks,
             [&](llvm::Value* block) { emit_blocks(tile, begin, end, block, false); });
    const auto rest = static_cast<int>(blocks_ - in_loop * tile.blocks);
    if (rest == 0) return;
    emit_blocks({tile.rows, rest, tile.unroll}, begin, end, builder_.getInt64(in_loop * tile.blocks), has_tail);
  }

  void emit_blocks(const Tile& tile, llvm::Value* begin, llvm::Value* end, llvm::Value* block, bool has_tail) {
    emit_for(builder_, begin, end, tile.rows, [&](llvm::Value* row) {
      emit_tile(builder_, context_, stage_, plan_.row_by_row, {tile, row, block, has_tail});
    });
  }

  llvm::Value* address(const Home& home, llvm::Value* row) {
    const Rows& rows = context_.spaces[static_cast<int>(home.space)];
    llvm::Value* offset = builder_.CreateAdd(builder_.CreateMul(row, rows.stride), builder_.getInt64(home.offset));
    return builder_.CreateGEP(builder_.getFloatTy(), rows.base, offset);
  }

  bool is_sum(const ReductionStep& reduction) const {
    return context_.schedule.cell[reduction.node].reduction == ir::Reduction::Sum;
  }

  void clear_partials(const ReductionStep& reduction, llvm::Value* row) {
    FunctionEmitter vector(builder_, kPartials, context_.target.fma);
    builder_.CreateAlignedStore(vector.splat(reduction_start(is_sum(reduction))), address(reduction.partials, row),
                                llvm::Align(64));
  }

  // The tree: lanes j and j + 8, then j + 4, j + 2, j + 1.
  void combine_partials(const ReductionStep& reduction, llvm::Value* row) {
    auto* type = llvm::FixedVectorType::get(builder_.getFloatTy(), kPartials);
    llvm::Value* value = builder_.CreateAlignedLoad(type, address(reduction.partials, row), llvm::Align(64));
    for (int width = kPartials / 2; width >= 1; width /= 2) {
      std::vector<int> low, high;
      for (int lane = 0; lane < width; ++lane) {
        low.push_back(lane);
        high.push_back(lane + width);
      }
      FunctionEmitter vector(builder_, static_cast<unsigned>(width), context_.target.fma);
      llvm::Value* operands[] = {builder_.CreateShuffleVector(value, low), builder_.CreateShuffleVector(value, high)};
      value = vector.emit(is_sum(reduction) ? ir::Function::Add : ir::Function::Max, operands);
    }
    builder_.CreateStore(builder_.CreateExtractElement(value, builder_.getInt64(0)), address(reduction.result, row));
  }

  llvm::IRBuilder<>& builder_;
  const StageContext& context_;
  const Stage& stage_;
  const StagePlan& plan_;
  std::int64_t blocks_;
};

}  // namespace

void emit_stage(llvm::IRBuilder<>& builder, const StageContext& context, std::size_t index, llvm::Value* rows) {
  StageEmitter(builder, context, index).run(rows);
}

}  // namespace rnnc::compiler
