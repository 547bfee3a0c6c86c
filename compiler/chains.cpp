#include "compiler/chains.hpp"

#include <algorithm>

namespace rnnc::compiler {
namespace {

// FMAs in one pass of the loop: enough to make the loop's own instructions cheap, few enough to compile fast.
constexpr std::int64_t kFmasPerPass = 48;
constexpr std::int64_t kMostUnroll = 8;
constexpr std::int64_t kFloatsOfLine = 16;

}  // namespace

std::size_t ProductOperands::vectors() const {
  std::size_t count = 0;
  for (const WeightStream& stream : weights) count += static_cast<std::size_t>(stream.vectors);
  return count;
}

ChainEmitter::ChainEmitter(llvm::IRBuilder<>& builder, int lanes, bool fma, ProductOperands operands)
    : builder_(builder),
      lanes_(lanes),
      operands_(std::move(operands)),
      vectors_(operands_.vectors()),
      functions_(builder, static_cast<unsigned>(lanes), fma) {}

Values ChainEmitter::run(std::int64_t columns, Values chains) {
  const std::int64_t fitting =
      std::clamp<std::int64_t>(kFmasPerPass / static_cast<std::int64_t>(chains.size()), 1, kMostUnroll);
  const std::int64_t unroll = std::min(fitting, columns);
  const std::int64_t in_loop = columns / unroll * unroll;
  chains = emit_for(builder_, builder_.getInt64(0), builder_.getInt64(static_cast<std::uint64_t>(in_loop)), unroll,
                    std::move(chains), [&](llvm::Value* column, Values carried) {
                      for (std::int64_t k = 0; k < unroll; ++k) extend(column, k, carried);
                      return carried;
                    });
  for (std::int64_t k = in_loop; k < columns; ++k) extend(builder_.getInt64(static_cast<std::uint64_t>(k)), 0, chains);
  return chains;
}

Values ChainEmitter::run(llvm::Value* columns, Values chains, llvm::Value* fetch_ahead) {
  return emit_for(builder_, builder_.getInt64(0), columns, 1, std::move(chains),
                  [&](llvm::Value* column, Values carried) {
                    if (fetch_ahead) fetch(fetch_ahead, column);
                    extend(column, 0, carried);
                    return carried;
                  });
}

void ChainEmitter::fetch(llvm::Value* from, llvm::Value* column) {
  llvm::Value* line = offset(from, builder_.CreateMul(column, builder_.getInt64(kFloatsOfLine)));
  llvm::Value* arguments[] = {line, builder_.getInt32(0), builder_.getInt32(2), builder_.getInt32(1)};
  builder_.CreateIntrinsic(llvm::Intrinsic::prefetch, {line->getType()}, arguments);
}

llvm::Value* ChainEmitter::offset(llvm::Value* pointer, llvm::Value* floats) {
  return builder_.CreateGEP(builder_.getFloatTy(), pointer, floats);
}

// An outer product of a column's weights and the rows' elements. The shorter side is held and the longer one passes
// by, so that what lives beside the chains is least: what fits in registers depends on it.
void ChainEmitter::extend(llvm::Value* column, std::int64_t k, Values& chains) {
  const auto load_weight = [&](std::size_t i) {
    std::size_t block = 0;
    for (; i >= static_cast<std::size_t>(operands_.weights[block].vectors); ++block)
      i -= static_cast<std::size_t>(operands_.weights[block].vectors);
    const WeightStream& stream = operands_.weights[block];
    const std::int64_t size = std::int64_t{stream.vectors} * lanes_;
    llvm::Value* first = builder_.CreateMul(column, builder_.getInt64(static_cast<std::uint64_t>(size)));
    const std::int64_t beyond = k * size + static_cast<std::int64_t>(i) * lanes_;
    return builder_.CreateAlignedLoad(
        llvm::FixedVectorType::get(builder_.getFloatTy(), static_cast<unsigned>(lanes_)),
        offset(offset(stream.base, first), builder_.getInt64(static_cast<std::uint64_t>(beyond))),
        llvm::Align(static_cast<unsigned>(lanes_) * 4));
  };
  const auto load_element = [&](std::size_t row) {
    llvm::Value* from = offset(offset(operands_.rows[row], column), builder_.getInt64(static_cast<std::uint64_t>(k)));
    return builder_.CreateVectorSplat(static_cast<unsigned>(lanes_), builder_.CreateLoad(builder_.getFloatTy(), from));
  };
  const std::size_t rows = operands_.rows.size();
  if (vectors_ < rows)
    multiply(
        vectors_, load_weight, rows, load_element,
        [&](std::size_t weight, std::size_t row) { return row * vectors_ + weight; }, chains);
  else
    multiply(
        rows, load_element, vectors_, load_weight,
        [&](std::size_t row, std::size_t weight) { return row * vectors_ + weight; }, chains);
}

void ChainEmitter::multiply(std::size_t held_count, Load load_held, std::size_t passing_count, Load load_passing,
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

}  // namespace rnnc::compiler
