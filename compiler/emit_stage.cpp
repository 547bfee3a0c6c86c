#include "compiler/emit_stage.hpp"

#include <llvm/IR/Constants.h>

#include <algorithm>

#include "compiler/chains.hpp"
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
        gates_(context, stage_),
        blocks_((stage_.units + context.plan.lanes - 1) / context.plan.lanes),
        vector_type_(llvm::FixedVectorType::get(builder.getFloatTy(), static_cast<unsigned>(context.plan.lanes))),
        starts_are_ours_(starts_are_ours()) {}

  void run(llvm::Value* rows) {
    for (const ReductionStep& reduction : stage_.reductions)
      for_each_row(rows, [&](llvm::Value* row) { clear_partials(reduction, row); });
    if (plan_.batch_rows == 0)
      emit_singles(rows);
    else
      emit_if(
          builder_, builder_.CreateICmpEQ(rows, number(1)), [&] { emit_singles(number(1)); },
          [&] { emit_groups(rows); });
    for (const ReductionStep& reduction : stage_.reductions)
      for_each_row(rows, [&](llvm::Value* row) { combine_partials(reduction, row); });
  }

 private:
  llvm::Value* number(std::int64_t value) { return builder_.getInt64(static_cast<std::uint64_t>(value)); }

  void for_each_row(llvm::Value* rows, llvm::function_ref<void(llvm::Value*)> body) {
    emit_for(builder_, number(0), rows, 1, body);
  }

  // All blocks of the stage, `width` at a time. Where the last one is not full it gets code of its own.
  void for_each_block(int width, llvm::function_ref<void(int blocks, llvm::Value* block, bool has_tail)> body) {
    const std::int64_t in_loop = (has_tail() ? blocks_ - 1 : blocks_) / width * width;
    emit_for(builder_, number(0), number(in_loop), width, [&](llvm::Value* block) { body(width, block, false); });
    const auto rest = static_cast<int>(blocks_ - in_loop);
    if (rest > 0) body(rest, number(in_loop), has_tail());
  }

  // ---- a row on its own: accumulators stay in registers

  void emit_singles(llvm::Value* rows) {
    for_each_block(plan_.single_blocks, [&](int blocks, llvm::Value* block, bool has_tail) {
      for_each_row(rows, [&](llvm::Value* row) { emit_single({1, blocks, row, block, has_tail}); });
    });
  }

  void emit_single(const TilePlace& place) {
    Tile tile(builder_, context_, stage_, gates_, place);
    for (ir::Value product : stage_.products) {
      const Panel& panel = context_.plan.panel(product);
      Values chains;
      for (int block = 0; block < place.blocks; ++block)
        for (int gate = 0; gate < panel.gates; ++gate) chains.push_back(tile.value(start_of(product, gate), 0, block));
      chains =
          extend_chains(builder_, context_, place, tile, product, number(0), number(panel.columns), std::move(chains));
      for (int block = 0; block < place.blocks; ++block)
        for (int gate = 0; gate < panel.gates; ++gate)
          tile.set_gate(gates_.first_of(product) + gate, 0, block,
                        chains[static_cast<std::size_t>(block * panel.gates + gate)]);
    }
    tile.finish();
  }

  ir::Value start_of(ir::Value product, int gate) const {
    return context_.schedule.cell[product].operands[static_cast<std::size_t>(2 + 2 * gate)];
  }

  // ---- groups of rows: accumulators are parked, weights are used by all rows while they are near

  // Rows in as few tiles as can be, of as equal size as can be: `longer` tiles of `size` + 1 rows, then tiles of `size`.
  struct Split {
    llvm::Value* tiles = nullptr;
    llvm::Value* size = nullptr;
    llvm::Value* longer = nullptr;
  };

  // Some tiles, one behind the other, and their rows.
  struct Group {
    llvm::Value *first_tile = nullptr, *end_tile = nullptr;
    llvm::Value *first_row = nullptr, *rows = nullptr;
  };

  Split split(llvm::Value* rows, int most) {
    llvm::Value* tiles = builder_.CreateUDiv(builder_.CreateAdd(rows, number(most - 1)), number(most));
    return {tiles, builder_.CreateUDiv(rows, tiles), builder_.CreateURem(rows, tiles)};
  }

  llvm::Value* first_row(const Split& split, llvm::Value* tile) {
    llvm::Value* longer_before = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, tile, split.longer);
    return builder_.CreateAdd(builder_.CreateMul(tile, split.size), longer_before);
  }

  Group group_of(const Split& split, llvm::Value* tile) {
    const int tiles = plan_.group_rows / plan_.batch_rows;
    llvm::Value* end =
        builder_.CreateBinaryIntrinsic(llvm::Intrinsic::umin, builder_.CreateAdd(tile, number(tiles)), split.tiles);
    llvm::Value* first = first_row(split, tile);
    return {tile, end, first, builder_.CreateSub(first_row(split, end), first)};
  }

  // Blocks outside, so that a panel is fetched from afar once; groups of rows pass over it while it is near.
  void emit_groups(llvm::Value* rows) {
    const std::size_t slots = static_cast<std::size_t>(plan_.group_rows * plan_.batch_blocks * gates_.count());
    llvm::BasicBlock& entry = builder_.GetInsertBlock()->getParent()->getEntryBlock();
    llvm::Value* parked =
        llvm::IRBuilder<>(&entry, entry.begin()).CreateAlloca(llvm::ArrayType::get(vector_type_, slots));
    const Split tiles = split(rows, plan_.batch_rows);
    const auto emit = [&](int blocks, llvm::Value* block, bool has_tail) {
      emit_for(builder_, number(0), tiles.tiles, plan_.group_rows / plan_.batch_rows, [&](llvm::Value* tile) {
        const Group group = group_of(tiles, tile);
        emit_group({1, blocks, group.first_row, block, has_tail}, group, tiles, {parked, group.first_row});
      });
    };
    if (blocks_ % plan_.batch_blocks == 0)  // one code for all blocks, which looks whether its last one is full
      emit_for(builder_, number(0), number(blocks_), plan_.batch_blocks,
               [&](llvm::Value* block) { emit(plan_.batch_blocks, block, false); });
    else
      for_each_block(plan_.batch_blocks, emit);
  }

  bool has_tail() const { return stage_.units % context_.plan.lanes != 0; }

  // Runs `body` with the place as it is, or, where blocks that are full and the one that is not share their code, with
  // whichever it is.
  void with_tail(TilePlace place, llvm::function_ref<void(const TilePlace&)> body) {
    if (!has_tail() || place.has_tail || blocks_ % place.blocks != 0) return body(place);
    llvm::Value* last = number(blocks_ - place.blocks);
    emit_if(
        builder_, builder_.CreateICmpEQ(place.block, last),
        [&] {
          place.has_tail = true;
          body(place);
        },
        [&] {
          place.has_tail = false;
          body(place);
        });
  }

  // Whether what chains start with may be read by full vectors everywhere.
  bool starts_are_ours() const {
    const Schedule& schedule = context_.schedule;
    std::vector<ir::Value> pending;
    for (ir::Value product : stage_.products)
      for (int gate = 0; gate < context_.plan.panel(product).gates; ++gate) pending.push_back(start_of(product, gate));
    while (!pending.empty()) {
      const ir::Value value = pending.back();
      pending.pop_back();
      const auto home = schedule.find(value);
      if (home && (home->space == Space::Input || home->offset % context_.plan.lanes != 0)) return false;
      const ir::Node& node = schedule.cell[value];
      if (!home && node.op == ir::Op::Map) pending.insert(pending.end(), node.operands.begin(), node.operands.end());
    }
    return true;
  }

  void emit_group(const TilePlace& place, const Group& group, const Split& tiles, const Parked& parked) {
    const auto row_of = [&](llvm::Value* row) {
      TilePlace one = place;
      one.row = builder_.CreateAdd(parked.first_row, row);
      return one;
    };
    for (ir::Value product : stage_.products) {
      if (!is_one_part(product))
        for_each_row(group.rows, [&](llvm::Value* row) {
          with_tail(row_of(row), [&](const TilePlace& one) { park_starts(product, one, parked); });
        });
      const std::int64_t columns = context_.plan.panel(product).columns;
      emit_for(builder_, number(0), number(columns), plan_.panel_columns, [&](llvm::Value* begin) {
        llvm::Value* end = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, number(columns),
                                                          builder_.CreateAdd(begin, number(plan_.panel_columns)));
        emit_for(builder_, group.first_tile, group.end_tile, 1,
                 [&](llvm::Value* tile) { emit_tile(product, place, tiles, tile, parked, begin, end); });
      });
    }
    if (is_only_stored()) return;
    for_each_row(group.rows, [&](llvm::Value* row) {
      with_tail(row_of(row),
                [&](const TilePlace& one) { Tile(builder_, context_, stage_, gates_, one, parked).finish(); });
    });
  }

  // The whole panel stays in L1: tiles begin with the start values and need no one to park them first.
  bool is_one_part(ir::Value product) const {
    return context_.plan.panel(product).columns <= plan_.panel_columns && (!has_tail() || starts_are_ours_);
  }

  // Nothing is done to the product but store it, as for most of what is hoisted: tiles store it themselves.
  bool is_only_stored() const {
    if (stage_.products.size() != 1 || !is_one_part(stage_.products[0]) || !stage_.reductions.empty()) return false;
    return std::all_of(stage_.stores.begin(), stage_.stores.end(),
                       [&](const Store& store) { return gates_.find(store.value) >= 0 && !store.exact; });
  }

  void park_starts(ir::Value product, const TilePlace& place, const Parked& parked) {
    Tile tile(builder_, context_, stage_, gates_, place, parked);
    for (int block = 0; block < place.blocks; ++block)
      for (int gate = 0; gate < context_.plan.panel(product).gates; ++gate)
        builder_.CreateStore(tile.value(start_of(product, gate), 0, block),
                             tile.slot(gates_.first_of(product) + gate, 0, block));
  }

  // A tile's number of rows is known only when it runs: code for each that may be. Where a tile may have three, splitting two
  // rows or more never leaves one alone.
  void emit_tile(ir::Value product, const TilePlace& place, const Split& tiles, llvm::Value* tile, const Parked& parked,
                 llvm::Value* begin, llvm::Value* end) {
    llvm::Value* row = first_row(tiles, tile);
    llvm::Value* is_longer = builder_.CreateICmpULT(tile, tiles.longer);
    llvm::Value* rows = builder_.CreateAdd(tiles.size, builder_.CreateZExt(is_longer, builder_.getInt64Ty()));
    const int least = plan_.batch_rows >= 3 ? 2 : 1;
    emit_switch(builder_, rows, least, plan_.batch_rows, [&](int n) {
      emit_tile_of({n, place.blocks, row, place.block, place.has_tail}, product, parked, begin, end,
                   fetch_ahead(product, place, tile));
    });
  }

  // Where the weights of all blocks do not fit in L2, tiles fetch those of the next block while they work on this one: each
  // of them a part.
  llvm::Value* fetch_ahead(ir::Value product, const TilePlace& place, llvm::Value* tile) {
    const Panel& panel = context_.plan.panel(product);
    if (!plan_.fetch_ahead || panel.columns % 2 != 0) return nullptr;
    const std::int64_t block_size = panel.columns * panel.gates * context_.plan.lanes;
    llvm::Value* next = builder_.CreateMul(builder_.CreateAdd(place.block, number(place.blocks)), number(block_size));
    llvm::Value* part = builder_.CreateMul(tile, number(panel.columns / 2 * 16));  // a line for every two columns
    llvm::Value* weights = context_.spaces[static_cast<int>(Space::Weights)].base;
    return builder_.CreateGEP(builder_.getFloatTy(), weights,
                              builder_.CreateAdd(number(panel.offset), builder_.CreateAdd(next, part)));
  }

  void emit_tile_of(const TilePlace& place, ir::Value product, const Parked& parked, llvm::Value* begin,
                    llvm::Value* end, llvm::Value* fetch_ahead) {
    Tile tile(builder_, context_, stage_, gates_, place, parked);
    const Panel& panel = context_.plan.panel(product);
    Values slots, chains;
    for (int row = 0; row < place.rows; ++row)
      for (int block = 0; block < place.blocks; ++block)
        for (int gate = 0; gate < panel.gates; ++gate) {
          slots.push_back(tile.slot(gates_.first_of(product) + gate, row, block));
          chains.push_back(is_one_part(product) ? tile.value(start_of(product, gate), row, block)
                                                : builder_.CreateLoad(vector_type_, slots.back()));
        }
    chains = extend_chains(builder_, context_, place, tile, product, begin, end, std::move(chains), fetch_ahead);
    if (!is_only_stored()) {
      for (std::size_t i = 0; i < chains.size(); ++i) builder_.CreateStore(chains[i], slots[i]);
      return;
    }
    std::size_t i = 0;
    for (int row = 0; row < place.rows; ++row)
      for (int block = 0; block < place.blocks; ++block)
        for (int gate = 0; gate < panel.gates; ++gate) tile.set_gate(gate, row, block, chains[i++]);
    tile.finish();
  }

  // ---- reductions

  llvm::Value* address(const Home& home, llvm::Value* row) {
    const Rows& rows = context_.spaces[static_cast<int>(home.space)];
    llvm::Value* offset = builder_.CreateAdd(builder_.CreateMul(row, rows.stride), number(home.offset));
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
    builder_.CreateStore(builder_.CreateExtractElement(value, number(0)), address(reduction.result, row));
  }

  llvm::IRBuilder<>& builder_;
  const StageContext& context_;
  const Stage& stage_;
  const StagePlan& plan_;
  Gates gates_;
  std::int64_t blocks_;
  llvm::Type* vector_type_;
  bool starts_are_ours_;
};

}  // namespace

void emit_stage(llvm::IRBuilder<>& builder, const StageContext& context, std::size_t index, llvm::Value* rows) {
  StageEmitter(builder, context, index).run(rows);
}

}  // namespace rnnc::compiler
