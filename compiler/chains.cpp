#include "compiler/chains.hpp"

#include <algorithm>

namespace rnnc::compiler {
namespace {

// FMAs in one pass of the loop: enough to make the loop's own instructions cheap, few enough to compile fast.
constexpr std::int64_t kFmasPerPass = 48;
constexpr std::int64_t kMostUnroll = 8;
constexpr std::int64_t kFloatsOfLine = 16;

class ChainEmitter {
 public:
  ChainEmitter(llvm::IRBuilder<>& builder, const StageContext& context, const TilePlace& place, Tile& tile,
               ir::Value product)
      : builder_(builder),
        panel_(context.plan.panel(product)),
        lanes_(context.plan.lanes),
        weights_(static_cast<std::size_t>(place.blocks * panel_.gates)),
        functions_(builder, static_cast<unsigned>(lanes_), context.target.fma) {
    const Home vector = *context.schedule.find(context.schedule.cell[product].operands[0]);
    for (int row = 0; row < place.rows; ++row) vectors_.push_back(tile.address(vector, row));
    llvm::Value* weights = context.spaces[static_cast<int>(Space::Weights)].base;
    const std::int64_t block_size = panel_.columns * panel_.gates * lanes_;
    llvm::Value* first = builder.CreateMul(place.block, builder.getInt64(block_size));
    for (int block = 0; block < place.blocks; ++block)
      panels_.push_back(offset(offset(weights, first), builder.getInt64(panel_.offset + block * block_size)));
  }

  Values run(llvm::Value* begin, llvm::Value* end, Values chains, llvm::Value* fetch_ahead) {
    const bool whole = llvm::isa<llvm::ConstantInt>(begin) && llvm::isa<llvm::ConstantInt>(end);
    const std::int64_t unroll = choose_unroll(whole, chains.size());
    llvm::Value* loop_end = whole ? builder_.getInt64(panel_.columns / unroll * unroll) : end;
    chains = emit_for(builder_, begin, loop_end, unroll, std::move(chains), [&](llvm::Value* column, Values carried) {
      if (fetch_ahead) fetch(fetch_ahead, column, unroll);
      for (std::int64_t k = 0; k < unroll; ++k) extend(column, k, carried);
      return carried;
    });
    if (whole)
      for (std::int64_t k = panel_.columns / unroll * unroll; k < panel_.columns; ++k)
        extend(builder_.getInt64(k), 0, chains);
    return chains;
  }

 private:
  // A part of a product cannot have left-over columns, so that its unrolling has to divide them.
  std::int64_t choose_unroll(bool whole, std::size_t chains) const {
    const std::int64_t fitting =
        std::clamp<std::int64_t>(kFmasPerPass / static_cast<std::int64_t>(chains), 1, kMostUnroll);
    if (whole) return std::min(fitting, panel_.columns);
    for (const std::int64_t unroll : {4, 2})
      if (unroll <= fitting && panel_.columns % unroll == 0) return unroll;
    return 1;
  }

  // One line of 16 floats for each pass; `unroll` divides 16, and `column`.
  void fetch(llvm::Value* from, llvm::Value* column, std::int64_t unroll) {
    llvm::Value* line = offset(from, builder_.CreateMul(column, builder_.getInt64(kFloatsOfLine / unroll)));
    llvm::Value* operands[] = {line, builder_.getInt32(0), builder_.getInt32(2), builder_.getInt32(1)};
    builder_.CreateIntrinsic(llvm::Intrinsic::prefetch, {line->getType()}, operands);
  }

  llvm::Value* offset(llvm::Value* pointer, llvm::Value* floats) {
    return builder_.CreateGEP(builder_.getFloatTy(), pointer, floats);
  }

  // An outer product of a column's weights and the rows' elements. The shorter side is held and the longer one passes
  // by, so that what lives beside the chains is least: what fits in registers depends on it.
  void extend(llvm::Value* column, std::int64_t k, Values& chains) {
    llvm::Value* first = builder_.CreateMul(column, builder_.getInt64(panel_.gates * lanes_));
    const auto load_weight = [&](std::size_t i) {
      const auto block = static_cast<std::int64_t>(i) / panel_.gates,
                 gate = static_cast<std::int64_t>(i) % panel_.gates;
      llvm::Value* from = offset(offset(panels_[static_cast<std::size_t>(block)], first),
                                 builder_.getInt64((k * panel_.gates + gate) * lanes_));
      return builder_.CreateAlignedLoad(
          llvm::FixedVectorType::get(builder_.getFloatTy(), static_cast<unsigned>(lanes_)), from,
          llvm::Align(static_cast<unsigned>(lanes_) * 4));
    };
    const auto load_element = [&](std::size_t row) {
      llvm::Value* from = offset(offset(vectors_[row], column), builder_.getInt64(k));
      return builder_.CreateVectorSplat(static_cast<unsigned>(lanes_),
                                        builder_.CreateLoad(builder_.getFloatTy(), from));
    };
    if (weights_ < vectors_.size())
      multiply(
          weights_, load_weight, vectors_.size(), load_element,
          [&](std::size_t weight, std::size_t row) { return row * weights_ + weight; }, chains);
    else
      multiply(
          vectors_.size(), load_element, weights_, load_weight,
          [&](std::size_t row, std::size_t weight) { return row * weights_ + weight; }, chains);
  }

  using Load = llvm::function_ref<llvm::Value*(std::size_t)>;

  void multiply(std::size_t held_count, Load load_held, std::size_t passing_count, Load load_passing,
                llvm::function_ref<std::size_t(std::size_t, std::size_t)> chain_at, Values& chains) {
    Values held;
    for (std::size_t i = 0; i < held_count; ++i) held.push_back(load_held(i));
    for (std::size_t j = 0; j < passing_count; ++j) {
      llvm::Value* passing = load_passing(j);
      for (std::size_t i = 0; i < held_count; ++i) {
        llvm::Value*& chain = chains[chain_at(i, j)];
        chain = functions_.fma(held[i], passing, chain);
      }
    }
  }

  llvm::IRBuilder<>& builder_;
  const Panel& panel_;
  int lanes_;
  std::size_t weights_;  // vectors of a column
  FunctionEmitter functions_;
  Values vectors_;  // where each row's elements begin
  Values panels_;   // where each block's weights begin
};

}  // namespace

Values extend_chains(llvm::IRBuilder<>& builder, const StageContext& context, const TilePlace& place, Tile& tile,
                     ir::Value product, llvm::Value* begin, llvm::Value* end, Values chains, llvm::Value* fetch_ahead) {
  return ChainEmitter(builder, context, place, tile, product).run(begin, end, std::move(chains), fetch_ahead);
}

}  // namespace rnnc::compiler
