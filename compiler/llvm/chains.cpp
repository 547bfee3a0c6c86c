#include "compiler/llvm/chains.hpp"

#include <algorithm>

#include "compiler/llvm/types.hpp"

namespace rnnc::compiler {
namespace {

// One pass of the loop has about so many FMAs: enough to make the loop's own instructions cheap, few enough to compile
// fast.
constexpr std::int64_t kFmasPerPass = 24;

// Returns the most columns of a pass. A CPU of x86-64 computes the loop's own instructions while it waits for the
// chains, and reads weights from L2 faster if each load takes the lines of one column (docs/performance.md); smaller
// CPUs compute one instruction after the other.
constexpr std::int64_t most_columns(Arch arch) { return arch == Arch::X86_64 ? 1 : 2; }

}  // namespace

void fetch_line(llvm::IRBuilder<>& builder, llvm::Value* from, llvm::Value* line) {
  llvm::Value* floats = builder.CreateMul(line, builder.getInt64(runtime::kCacheLineFloats));
  llvm::Value* at = advance(builder, from, floats);
  llvm::Value* arguments[] = {at, builder.getInt32(0), builder.getInt32(2), builder.getInt32(1)};
  builder.CreateIntrinsic(llvm::Intrinsic::prefetch, {at->getType()}, arguments);
}

std::size_t ProductOperands::vectors() const {
  std::size_t count = 0;
  for (const WeightStream& stream : weights) count += static_cast<std::size_t>(stream.vectors);
  return count;
}

ChainEmitter::ChainEmitter(llvm::IRBuilder<>& builder, const Target& target, ProductOperands operands)
    : builder_(builder),
      half_(half_widening(target)),
      most_columns_(most_columns(target.arch)),
      folds_offsets_(target.arch == Arch::Wasm32),
      operands_(std::move(operands)),
      vectors_(operands_.vectors()),
      functions_(builder, static_cast<unsigned>(operands_.lanes), target.fma) {}

Values ChainEmitter::run(std::int64_t columns, Values chains) {
  const std::int64_t fitting =
      std::clamp<std::int64_t>(kFmasPerPass / static_cast<std::int64_t>(chains.size()), 1, most_columns_);
  const std::int64_t unroll = std::min(fitting, columns);
  const std::int64_t in_loop = columns / unroll * unroll;
  chains = emit_for(
      builder_, number(0), number(in_loop), unroll, std::move(chains),
      [&](llvm::Value* column, Values carried) {
        const Pass pass = begin_pass(column);
        for (std::int64_t k = 0; k < unroll; ++k) extend(pass, k, carried);
        return carried;
      },
      "columns");
  if (in_loop == columns) return chains;
  const Pass rest = begin_pass(number(in_loop));
  for (std::int64_t k = in_loop; k < columns; ++k) extend(rest, k - in_loop, chains);
  return chains;
}

Values ChainEmitter::run(llvm::Value* columns, Values chains, llvm::Value* fetch_ahead) {
  return emit_for(
      builder_, number(0), columns, 1, std::move(chains),
      [&](llvm::Value* column, Values carried) {
        if (fetch_ahead) fetch_line(builder_, fetch_ahead, column);
        extend(begin_pass(column), 0, carried);
        return carried;
      },
      "columns");
}

llvm::Value* ChainEmitter::number(std::int64_t value) { return builder_.getInt64(static_cast<std::uint64_t>(value)); }

// Computes the addresses at which the operands of a pass of the loop begin.
ChainEmitter::Pass ChainEmitter::begin_pass(llvm::Value* column) {
  Pass pass;
  for (llvm::Value* row : operands_.rows) pass.rows.push_back(advance(builder_, row, column));
  for (const WeightStream& stream : operands_.weights)
    pass.weights.push_back(begin_of(advance(
        builder_, stream.base, builder_.CreateMul(column, number(std::int64_t{stream.in_memory} * operands_.lanes)),
        operands_.format)));
  return pass;
}

// A load of WebAssembly adds a constant to its address, but LLVM uses that only where it knows that the sum does not
// wrap around, and it forgets this when it transforms the loop. Behind a mask that changes nothing it leaves addresses
// alone. An LSTM of 128 units takes 721 us instead of 779 so.
llvm::Value* ChainEmitter::begin_of(llvm::Value* weights) {
  const std::int64_t bytes = runtime::bytes_of(operands_.format, 1);
  if (!folds_offsets_ || bytes == 1) return weights;
  return builder_.CreateIntrinsic(llvm::Intrinsic::ptrmask, {weights->getType(), builder_.getInt32Ty()},
                                  {weights, builder_.getInt32(static_cast<std::uint32_t>(-bytes))});
}

// A vector is loaded in the format of the weights and widened to the format of the chains.
llvm::Value* ChainEmitter::load_vector(llvm::Value* weights, std::int64_t vector) {
  const runtime::NumberFormat format = operands_.format;
  llvm::Value* from = builder_.CreateInBoundsGEP(type_of(builder_, format), weights, number(vector * operands_.lanes));
  llvm::Type* type = vector_of(builder_, operands_.lanes, format);
  return widen(builder_, builder_.CreateAlignedLoad(type, from, alignment_of(operands_.lanes, format)), format, half_);
}

// The outer product of a column's weights and the rows' elements is added to the chains. The shorter side is held in
// registers and the longer one is loaded piece by piece, so that as few registers as possible are in
// use beside the chains.
void ChainEmitter::extend(const Pass& pass, std::int64_t k, Values& chains) {
  const auto load_weight = [&](std::size_t i) {
    std::size_t block = 0;
    for (; i >= static_cast<std::size_t>(operands_.weights[block].vectors); ++block)
      i -= static_cast<std::size_t>(operands_.weights[block].vectors);
    const std::int64_t vector = k * operands_.weights[block].in_memory + static_cast<std::int64_t>(i);
    return load_vector(pass.weights[block], vector);
  };
  const auto load_element = [&](std::size_t row) {
    llvm::Value* element = builder_.CreateLoad(type_of(builder_), advance(builder_, pass.rows[row], number(k)));
    return builder_.CreateVectorSplat(static_cast<unsigned>(operands_.lanes), element);
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
