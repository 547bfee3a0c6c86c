#include "compiler/llvm/emit_stage.hpp"

#include <llvm/IR/Constants.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "compiler/llvm/chains.hpp"
#include "compiler/llvm/copies.hpp"
#include "compiler/llvm/functions.hpp"
#include "compiler/llvm/integer_sums.hpp"
#include "compiler/llvm/loops.hpp"
#include "compiler/llvm/magnitudes.hpp"
#include "compiler/llvm/product_groups.hpp"
#include "compiler/llvm/quantized.hpp"
#include "compiler/llvm/row_groups.hpp"
#include "compiler/llvm/shared_code.hpp"
#include "compiler/llvm/sparse_sums.hpp"
#include "compiler/llvm/types.hpp"

namespace rnnc::compiler {
namespace {

class StageEmitter {
 public:
  StageEmitter(llvm::IRBuilder<>& builder, const StageContext& context, const Stage& stage, const StagePlan& plan)
      : builder_(builder), context_(context), stage_(stage), plan_(plan), gates_(context, stage_) {}

  void run(llvm::Value* rows) {
    for (const ReductionStep& reduction : stage_.reductions)
      for_each_row(rows, [&](llvm::Value* row) { clear_partials(reduction, row); });
    RowGroups groups(builder_, context_, stage_, plan_, gates_);
    if (plan_.batch_rows == 0)
      emit_singles(rows);
    else if (groups.is_only_stored())
      groups.emit(rows);
    else
      emit_if(
          builder_, builder_.CreateICmpEQ(rows, number(1)), [&] { emit_singles(number(1)); },
          [&] { groups.emit(rows); });
    for (const ReductionStep& reduction : stage_.reductions)
      for_each_row(rows, [&](llvm::Value* row) { combine_partials(reduction, row); });
  }

 private:
  llvm::Value* number(std::int64_t value) { return builder_.getInt64(static_cast<std::uint64_t>(value)); }

  void for_each_row(llvm::Value* rows, llvm::function_ref<void(llvm::Value*)> body) {
    emit_for(builder_, number(0), rows, 1, body, "rows");
  }

  // ---- a single row, whose accumulators stay in registers

  // The vectors of products of a row, where that is made ready once for all blocks.
  struct ReadyRow {
    std::map<ir::Value, llvm::Value*> vectors, all_numbers;
    std::shared_ptr<RowScalars> scalars;
  };

  void emit_singles(llvm::Value* rows) {
    const BlockGroups groups(context_, stage_, plan_.single_blocks, false);
    llvm::Value* turned = plan_.turns ? context_.turned : nullptr;
    // Without weights that several rows could share, each row is read and written from its beginning to its end. Taken
    // block by block, rows that lie kilobytes apart are more streams than a prefetcher follows: the backward step of an
    // LSTM of 256 units took a third longer for 64 sequences on a Xeon with AVX-512.
    if (stage_.products.empty() || sums_vectors_alone(context_.target.byte_products))
      return for_each_row(rows, [&](llvm::Value* row) {
        const ReadyRow ready = make_ready(row);
        groups.for_each(
            builder_,
            [&](int blocks, llvm::Value* block, Tail tail) {
              emit_single({1, blocks, row, block, tail}, ready);
            },
            turned);
      });
    groups.for_each(
        builder_,
        [&](int blocks, llvm::Value* block, Tail tail) {
          for_each_row(rows, [&](llvm::Value* row) { emit_single({1, blocks, row, block, tail}, {}); });
        },
        turned);
  }

  ReadyRow make_ready(llvm::Value* row) {
    ReadyRow ready;
    Tile tile(builder_, context_, stage_, gates_, {1, 1, row, number(0), Tail::None});
    for (ir::Value product : stage_.products) {
      const ir::Value vector = context_.schedule.cell[product].operands[0];
      const Panel& panel = context_.plan.panel(product);
      if (!runtime::is_integer(panel.format) || ready.vectors.contains(vector)) continue;
      const std::int64_t words = panel.passes() * context_.schedule.find(vector)->digits;
      ready.vectors[vector] = vector_of_product(product, tile);
      if (context_.target.byte_products == ByteProducts::Dual)
        ready.vectors[vector] = emit_dual_pairs(builder_, ready.vectors[vector], words);
      if (tile.may_be_no_numbers(vector)) ready.all_numbers[vector] = tile.is_all_numbers(vector, 0);
    }
    if (sums_vectors_alone(context_.target.byte_products))
      ready.scalars = std::make_shared<RowScalars>(builder_, context_, stage_, gates_, row);
    return ready;
  }

  void emit_single(const TilePlace& place, const ReadyRow& ready) {
    Tile tile(builder_, context_, stage_, gates_, place);
    for (const auto& [vector, all] : ready.all_numbers) tile.set_all_numbers(vector, 0, all);
    tile.take_scalars_from(ready.scalars.get());
    for (const std::vector<ir::Value>& group : product_groups(context_, stage_, place.blocks)) {
      const ir::Value product = group[0];
      const Panel& panel = context_.plan.panel(product);
      if (group.size() > 1) {
        emit_group(group, tile, place);
        continue;
      }
      if (panel.sparse) {
        set_product(product, tile, place, sparse_sums(product, tile, place));
        continue;
      }
      const ProductOperands operands = operands_of(product, tile, place, ready);
      if (!runtime::is_integer(panel.format))
        set_product(product, tile, place, chains_of(product, tile, place.blocks, operands));
      else if (sums_vectors_alone(context_.target.byte_products))
        set_product(product, tile, place, IntegerSums(builder_, context_.target, operands).defer(panel.passes()));
      else
        set_product(
            product, tile, place,
            IntegerSums(builder_, context_.target, operands).run(panel.passes(), tile.integer_starts(product, 0)));
    }
    tile.finish();
  }

  // Computes products of one panel at once.
  void emit_group(const std::vector<ir::Value>& group, Tile& tile, const TilePlace& place) {
    ProductOperands operands = operands_of(group[0], tile, place, {});
    operands.rows.clear();
    Values chains;
    for (const ir::Value product : group) {
      operands.rows.push_back(vector_of_product(product, tile));
      for (int block = 0; block < place.blocks; ++block) {
        const Values starts = tile.starts(product, 0, block);
        chains.insert(chains.end(), starts.begin(), starts.end());
      }
    }
    chains = ChainEmitter(builder_, context_.target, std::move(operands))
                 .run(context_.plan.panel(group[0]).columns, std::move(chains));
    const std::size_t each = chains.size() / group.size();
    for (std::size_t i = 0; i < group.size(); ++i)
      set_product(group[i], tile, place,
                  Values(chains.begin() + static_cast<std::ptrdiff_t>(i * each),
                         chains.begin() + static_cast<std::ptrdiff_t>((i + 1) * each)));
  }

  template <class Sum>
  void set_product(ir::Value product, Tile& tile, const TilePlace& place, const std::vector<Sum>& sums) {
    llvm::ArrayRef<Sum> left = sums;
    for (int block = 0; block < place.blocks; ++block) {
      const auto vectors = static_cast<std::size_t>(context_.plan.panel(product).vectors(is_last(place, block)));
      tile.set_product(product, 0, block, left.take_front(vectors));
      left = left.drop_front(vectors);
    }
  }

  // Returns the operands for the blocks of a place, block after block.
  ProductOperands operands_of(ir::Value product, Tile& tile, const TilePlace& place, const ReadyRow& ready) {
    const Panel& panel = context_.plan.panel(product);
    const auto found = ready.vectors.find(context_.schedule.cell[product].operands[0]);
    llvm::Value* vector = found == ready.vectors.end() ? vector_of_product(product, tile) : found->second;
    ProductOperands operands{{vector}, {}, panel.format, panel.lanes};
    for (int block = 0; block < place.blocks;) {
      const bool packed = panel.is_packed() && is_last(place, block);
      const int before_tail = place.blocks - (panel.is_packed() && place.tail == Tail::Last ? 1 : 0);
      const int together = packed ? 1 : std::min(panel.together, before_tail - block);
      const int vectors = panel.vectors(packed), others = panel.gates_in_memory - panel.gates;
      const int of_column = together * (vectors + others);
      llvm::Value* first = weights(panel, place, block, of_column);
      // Gates that the product does not read lie between those of one block and of the next.
      const int runs = others > 0 ? together : 1;
      for (int run = 0; run < runs; ++run) {
        llvm::Value* base =
            run == 0 ? first
                     : advance(builder_, first, number(run * panel.gates_in_memory * panel.lanes), panel.format);
        operands.weights.push_back({base, together / runs * vectors, of_column});
      }
      block += together;
    }
    return operands;
  }

  Values sparse_sums(ir::Value product, Tile& tile, const TilePlace& place) {
    const Panel& panel = context_.plan.panel(product);
    SparseSums sums(builder_, context_.target, panel, tile.panel_base(product), {vector_of_product(product, tile)});
    Values all;
    for (int block = 0; block < place.blocks; ++block) {
      llvm::Value* first = builder_.CreateMul(builder_.CreateAdd(place.block, number(block)), number(panel.gates));
      for (int vector = 0; vector < panel.vectors(is_last(place, block)); ++vector)
        all.push_back(sums.run(builder_.CreateAdd(first, number(vector)), tile.all_integer_starts(product))[0]);
    }
    return all;
  }

  llvm::Value* vector_of_product(ir::Value product, Tile& tile) {
    return tile.address(*context_.schedule.find(context_.schedule.cell[product].operands[0]), 0);
  }

  static bool is_last(const TilePlace& place, int block) {
    return place.tail == Tail::Last && block == place.blocks - 1;
  }

  Values chains_of(ir::Value product, Tile& tile, int blocks, ProductOperands operands) {
    Values chains;
    for (int block = 0; block < blocks; ++block) {
      const Values starts = tile.starts(product, 0, block);
      chains.insert(chains.end(), starts.begin(), starts.end());
    }
    return ChainEmitter(builder_, context_.target, std::move(operands))
        .run(context_.plan.panel(product).columns, std::move(chains));
  }

  // Returns the address of a block's weights, of which `vectors` lie side by side in each column.
  llvm::Value* weights(const Panel& panel, const TilePlace& place, int block, int vectors) {
    const std::int64_t block_size = panel.block_elements(), columns_before = panel.first_column * vectors * panel.lanes;
    llvm::Value* first = builder_.CreateMul(place.block, number(block_size));
    llvm::Value* base = context_.spaces[static_cast<int>(Space::Weights)].base;
    llvm::Value* panel_begin = context_.place(builder_, Space::Weights, panel.first_element());
    return advance(builder_, advance(builder_, base, first, panel.format),
                   builder_.CreateAdd(panel_begin, number(block * block_size + columns_before)), panel.format);
  }

  // ---- reductions

  llvm::Value* address(const Home& home, llvm::Value* row) {
    const Rows& rows = context_.spaces[static_cast<int>(home.space)];
    llvm::Value* offset =
        builder_.CreateAdd(builder_.CreateMul(row, rows.stride), context_.place(builder_, home.space, home.offset));
    return advance(builder_, rows.base, offset);
  }

  Combining combining(const ReductionStep& reduction) const {
    return combining_of(context_.schedule.cell[reduction.node].reduction);
  }

  llvm::Value* address_of_indices(const ReductionStep& reduction, llvm::Value* row) {
    return advance(builder_, address(reduction.partials, row), number(kPartials));
  }

  void clear_partials(const ReductionStep& reduction, llvm::Value* row) {
    if (is_largest_magnitude(context_, reduction.node)) {
      if (!has_all_units(stage_, plan_.single_blocks, context_.plan.lanes))
        store_magnitudes(builder_, no_magnitudes(builder_, context_.plan.lanes), address(reduction.partials, row));
      return;
    }
    FunctionEmitter vector(builder_, kPartials, context_.target.fma);
    builder_.CreateAlignedStore(vector.splat(combining(reduction).start), address(reduction.partials, row), kCacheLine);
    if (!combining(reduction).has_indices) return;
    std::vector<llvm::Constant*> first;  // the first unit is the largest where all are -inf
    for (int lane = 0; lane < kPartials; ++lane) first.push_back(llvm::ConstantFP::get(type_of(builder_), lane));
    builder_.CreateAlignedStore(llvm::ConstantVector::get(first), address_of_indices(reduction, row), kCacheLine);
  }

  struct Halves {
    llvm::Value *low = nullptr, *high = nullptr;
  };

  Halves halves(llvm::Value* vector, int width) {
    std::vector<int> low, high;
    for (int lane = 0; lane < width; ++lane) {
      low.push_back(lane);
      high.push_back(lane + width);
    }
    return {builder_.CreateShuffleVector(vector, low), builder_.CreateShuffleVector(vector, high)};
  }

  // Canonical arithmetic combines the partial results as a tree: lanes j and j + 8, then j + 4, j + 2 and j + 1.
  void combine_partials(const ReductionStep& reduction, llvm::Value* row) {
    if (is_largest_magnitude(context_, reduction.node)) {
      if (has_all_units(stage_, plan_.single_blocks, context_.plan.lanes)) return;
      llvm::Value* found = load_magnitudes(builder_, address(reduction.partials, row), context_.plan.lanes);
      builder_.CreateStore(largest_of_lanes(builder_, found), address(reduction.result, row));
      return;
    }
    auto* type = vector_of(builder_, kPartials);
    Largest found{builder_.CreateAlignedLoad(type, address(reduction.partials, row), kCacheLine), nullptr};
    const auto [start, function, has_indices] = combining(reduction);
    if (has_indices) found.index = builder_.CreateAlignedLoad(type, address_of_indices(reduction, row), kCacheLine);
    for (int width = kPartials / 2; width >= 1; width /= 2) {
      const Halves value = halves(found.value, width);
      if (has_indices) {
        const Halves index = halves(found.index, width);
        found = choose_larger(builder_, {value.low, index.low}, {value.high, index.high});
        continue;
      }
      FunctionEmitter vector(builder_, static_cast<unsigned>(width), context_.target.fma);
      llvm::Value* operands[] = {value.low, value.high};
      found.value = vector.emit(function, operands);
    }
    builder_.CreateStore(builder_.CreateExtractElement(has_indices ? found.index : found.value, number(0)),
                         address(reduction.result, row));
  }

  llvm::IRBuilder<>& builder_;
  const StageContext& context_;
  const Stage& stage_;
  const StagePlan& plan_;
  Gates gates_;
};

// A basic block gets a name that tells readers of listings which stage it belongs to.
void emit_named(llvm::IRBuilder<>& builder, const StageContext& context, std::size_t index, llvm::Value* rows) {
  llvm::Function& function = *builder.GetInsertBlock()->getParent();
  llvm::BasicBlock* before = &function.back();
  Stage rest = context.schedule.stages[index];
  emit_copies(builder, context, take_copies(context.schedule, rest), rest.units, rows);
  if (context.shared) {
    context.shared->emit_calls(builder, index, context.frame);
    rest = context.shared->rest(index);
  }
  emit_part(builder, context, rest, context.plan.stages[index], rows);
  const std::string prefix = "stage" + std::to_string(index) + ".";
  for (llvm::BasicBlock* block = before->getNextNode(); block; block = block->getNextNode())
    block->setName(prefix + block->getName());
}

}  // namespace

void emit_part(llvm::IRBuilder<>& builder, const StageContext& context, const Stage& part, const StagePlan& plan,
               llvm::Value* rows) {
  if (!is_empty(part)) StageEmitter(builder, context, part, plan).run(rows);
}

void emit_stage(llvm::IRBuilder<>& builder, const StageContext& context, std::size_t index, llvm::Value* rows) {
  if (!context.part.index || is_shared(context.schedule.stages[index]))
    return emit_named(builder, context, index, rows);
  StageContext alone = context;
  alone.part = {};
  emit_if(builder, builder.CreateICmpEQ(context.part.index, builder.getInt64(0)),
          [&] { emit_named(builder, alone, index, rows); });
}

}  // namespace rnnc::compiler
