#include "compiler/emit_tile.hpp"

#include <llvm/IR/Constants.h>

#include <limits>
#include <map>
#include <tuple>

#include "compiler/functions.hpp"
#include "compiler/loops.hpp"
#include "ir/check.hpp"

namespace rnnc::compiler {
namespace {

using ir::Node;
using ir::Op;

class TileEmitter {
 public:
  TileEmitter(llvm::IRBuilder<>& builder, const StageContext& context, const Stage& stage, const TilePlace& place)
      : builder_(builder),
        context_(context),
        cell_(context.schedule.cell),
        stage_(stage),
        place_(place),
        lanes_(context.plan.lanes),
        functions_(builder, static_cast<unsigned>(lanes_), context.target.fma),
        vector_type_(llvm::FixedVectorType::get(builder.getFloatTy(), static_cast<unsigned>(lanes_))) {}

  void run(bool row_by_row) {
    for (ir::Value product : stage_.products) emit_product(product);
    if (row_by_row && place_.tile.rows > 1)
      finish_row_by_row();
    else
      finish();
  }

 private:
  // A value for one row and block of the tile.
  struct Part {
    ir::Value value;
    int row = 0;
    int block = 0;
    friend auto operator<=>(const Part&, const Part&) = default;
  };

  void finish() {
    // All values before any store: a stage may overwrite in place what it reads.
    std::vector<std::pair<const Store*, Values>> stores;
    std::vector<std::pair<const ReductionStep*, Values>> reductions;
    for (const Store& store : stage_.stores) stores.emplace_back(&store, Values(tile_size()));
    for (const ReductionStep& step : stage_.reductions) reductions.emplace_back(&step, Values(tile_size()));
    for (int row = 0; row < place_.tile.rows; ++row)
      for (int block = 0; block < place_.tile.blocks; ++block) {
        for (auto& [store, values] : stores) values[at(row, block)] = value_of({store->value, row, block});
        for (auto& [step, values] : reductions)
          values[at(row, block)] = value_of({cell_[step->node].operands[0], row, block});
      }
    for (int row = 0; row < place_.tile.rows; ++row)
      for (int block = 0; block < place_.tile.blocks; ++block) {
        for (auto& [store, values] : stores) emit_store(*store, values[at(row, block)], row, block);
        for (auto& [step, values] : reductions) accumulate(*step, values[at(row, block)], row, block);
      }
  }

  // Parks all gates in memory, then finishes each row as a tile of its own.
  void finish_row_by_row() {
    llvm::BasicBlock& entry = builder_.GetInsertBlock()->getParent()->getEntryBlock();
    const std::size_t gates = gates_.size(), per_row = gates * static_cast<std::size_t>(place_.tile.blocks);
    auto* type = llvm::ArrayType::get(vector_type_, per_row * static_cast<std::size_t>(place_.tile.rows));
    llvm::Value* parked = llvm::IRBuilder<>(&entry, entry.begin()).CreateAlloca(type);
    const auto slot = [&](llvm::Value* row, std::size_t gate, int block) {
      llvm::Value* first = builder_.CreateMul(row, builder_.getInt64(per_row));
      llvm::Value* index = builder_.getInt64(static_cast<std::size_t>(block) * gates + gate);
      return builder_.CreateGEP(vector_type_, builder_.CreateGEP(vector_type_, parked, first), index);
    };
    for (int row = 0; row < place_.tile.rows; ++row)
      for (int block = 0; block < place_.tile.blocks; ++block)
        for (std::size_t gate = 0; gate < gates; ++gate)
          builder_.CreateStore(values_.at({gates_[gate], row, block}), slot(builder_.getInt64(row), gate, block));
    emit_for(builder_, builder_.getInt64(0), builder_.getInt64(place_.tile.rows), 1, [&](llvm::Value* row) {
      const Tile tile{1, place_.tile.blocks, place_.tile.unroll};
      const TilePlace place{tile, builder_.CreateAdd(place_.row, row), place_.block, place_.has_tail};
      TileEmitter one(builder_, context_, stage_, place);
      for (int block = 0; block < tile.blocks; ++block)
        for (std::size_t gate = 0; gate < gates; ++gate)
          one.values_[{gates_[gate], 0, block}] = builder_.CreateLoad(vector_type_, slot(row, gate, block));
      one.finish();
    });
  }

  std::size_t tile_size() const { return static_cast<std::size_t>(place_.tile.rows * place_.tile.blocks); }
  std::size_t at(int row, int block) const { return static_cast<std::size_t>(row * place_.tile.blocks + block); }
  bool is_tail(int block) const { return place_.has_tail && block == place_.tile.blocks - 1; }

  // ---- addresses

  llvm::Value* row_base(Space space, int row) {
    llvm::Value*& base = row_bases_[{space, row}];
    if (base) return base;
    const Rows& rows = context_.spaces[static_cast<int>(space)];
    if (row == 0)
      return base = builder_.CreateGEP(builder_.getFloatTy(), rows.base, builder_.CreateMul(place_.row, rows.stride));
    return base = builder_.CreateGEP(builder_.getFloatTy(), row_base(space, 0),
                                     builder_.CreateMul(builder_.getInt64(row), rows.stride));
  }

  llvm::Value* address(const Home& home, int row) {
    return builder_.CreateGEP(builder_.getFloatTy(), row_base(home.space, row), builder_.getInt64(home.offset));
  }

  llvm::Value* block_address(const Home& home, int row, int block) {
    llvm::Value* first = builder_.CreateMul(place_.block, builder_.getInt64(lanes_));
    return builder_.CreateGEP(builder_.getFloatTy(),
                              builder_.CreateGEP(builder_.getFloatTy(), address(home, row), first),
                              builder_.getInt64(block * lanes_));
  }

  // Rows of ours begin on a cache line; the caller's begin anywhere.
  llvm::Align alignment(const Home& home) const {
    const bool ours = home.space != Space::Input && home.space != Space::Output;
    return llvm::Align(ours && home.offset % lanes_ == 0 ? static_cast<unsigned>(lanes_) * 4 : 4);
  }

  llvm::Constant* tail_mask() {
    std::vector<llvm::Constant*> bits;
    for (int lane = 0; lane < lanes_; ++lane) bits.push_back(builder_.getInt1(lane < stage_.units % lanes_));
    return llvm::ConstantVector::get(bits);
  }

  // ---- values

  // Whether the value lies in memory when the stage begins.
  bool is_loaded(ir::Value value) const {
    const Node& node = cell_[value];
    switch (node.op) {
      case Op::Input:
      case Op::State:
      case Op::Param:
      case Op::Concat:
      case Op::Reduce:
      case Op::Hoist: return true;
      case Op::Constant: return false;
      case Op::Slice: return !is_gate(cell_, value) || context_.schedule.depths[value.index] < stage_.depth;
      case Op::Project:
      case Op::Map: return context_.schedule.homes[value.index] && context_.schedule.depths[value.index] < stage_.depth;
      case Op::Matvec: break;
    }
    ir::internal_error(&cell_, "a product outside of a chain reached code generation");
  }

  llvm::Value* load(const Part& part) {
    const Home home = *context_.schedule.find(part.value);
    if (cell_[part.value].type.rank() == 0)
      return builder_.CreateVectorSplat(static_cast<unsigned>(lanes_),
                                        builder_.CreateLoad(builder_.getFloatTy(), address(home, part.row)));
    llvm::Value* from = block_address(home, part.row, part.block);
    const llvm::Align align = alignment(home);
    if (is_tail(part.block) && align.value() == 4)  // what lies behind may not be ours to read
      return builder_.CreateMaskedLoad(vector_type_, from, align, tail_mask(),
                                       llvm::Constant::getNullValue(vector_type_));
    return builder_.CreateAlignedLoad(vector_type_, from, align);
  }

  // What does not differ between rows or blocks is made once.
  Part canonical(Part part) const {
    const Node& node = cell_[part.value];
    if (node.type.rank() == 0) part.block = 0;
    if (node.op == Op::Constant) part.row = 0;
    if (is_loaded(part.value) && context_.schedule.find(part.value)->space == Space::Weights) part.row = 0;
    return part;
  }

  // Depth first with a stack of our own: expressions may nest deeper than the machine's.
  llvm::Value* value_of(Part wanted) {
    std::vector<Part> pending{canonical(wanted)};
    while (!pending.empty()) {
      const Part part = pending.back();
      if (values_.contains(part)) {
        pending.pop_back();
        continue;
      }
      const Node& node = cell_[part.value];
      if (node.op == Op::Constant || is_loaded(part.value)) {
        values_[part] = node.op == Op::Constant ? functions_.splat(node.constant) : load(part);
        continue;
      }
      RNNC_ASSERT(node.op == Op::Map, &cell_);  // gates are there once their product is emitted
      Values operands;
      for (ir::Value operand : node.operands) {
        const auto found = values_.find(canonical({operand, part.row, part.block}));
        if (found == values_.end())
          pending.push_back(canonical({operand, part.row, part.block}));
        else
          operands.push_back(found->second);
      }
      if (operands.size() == node.operands.size()) values_[part] = functions_.emit(node.function, operands);
    }
    return values_.at(canonical(wanted));
  }

  // ---- products

  // Element by element one chain of fused multiply-adds: the start value, then the columns in order.
  void emit_product(ir::Value product) {
    const Node& node = cell_[product];
    const Panel& panel = context_.plan.panel(product);
    const int rows = place_.tile.rows, blocks = place_.tile.blocks;
    Values chains;
    for (int row = 0; row < rows; ++row)
      for (int block = 0; block < blocks; ++block)
        for (int gate = 0; gate < panel.gates; ++gate)
          chains.push_back(value_of({node.operands[static_cast<std::size_t>(2 + 2 * gate)], row, block}));

    const Home vector = *context_.schedule.find(node.operands[0]);
    Values vectors, panels;
    for (int row = 0; row < rows; ++row) vectors.push_back(address(vector, row));
    for (int block = 0; block < blocks; ++block) panels.push_back(panel_address(panel, block));

    const std::int64_t unroll = std::min<std::int64_t>(place_.tile.unroll, panel.columns);
    const std::int64_t in_loop = panel.columns / unroll * unroll;
    chains = emit_for(builder_, builder_.getInt64(0), builder_.getInt64(in_loop), unroll, std::move(chains),
                      [&](llvm::Value* column, Values carried) {
                        for (std::int64_t k = 0; k < unroll; ++k)
                          emit_column(panel, vectors, panels, column, k, carried);
                        return carried;
                      });
    for (std::int64_t k = in_loop; k < panel.columns; ++k)
      emit_column(panel, vectors, panels, builder_.getInt64(k), 0, chains);
    keep_gates(product, panel, chains);
  }

  llvm::Value* panel_address(const Panel& panel, int block) {
    const std::int64_t block_size = panel.columns * panel.gates * lanes_;
    llvm::Value* first = builder_.CreateMul(place_.block, builder_.getInt64(block_size));
    llvm::Value* base = builder_.CreateGEP(builder_.getFloatTy(), row_base(Space::Weights, 0),
                                           builder_.getInt64(panel.offset + block * block_size));
    return builder_.CreateGEP(builder_.getFloatTy(), base, first);
  }

  void emit_column(const Panel& panel, const Values& vectors, const Values& panels, llvm::Value* column, std::int64_t k,
                   Values& chains) {
    const std::size_t weights = static_cast<std::size_t>(place_.tile.blocks * panel.gates);
    llvm::Value* first = builder_.CreateMul(column, builder_.getInt64(panel.gates * lanes_));
    const auto load_weight = [&](std::size_t i) {
      const auto block = static_cast<std::int64_t>(i) / panel.gates, gate = static_cast<std::int64_t>(i) % panel.gates;
      llvm::Value* from = offset(offset(panels[static_cast<std::size_t>(block)], first),
                                 builder_.getInt64((k * panel.gates + gate) * lanes_));
      return builder_.CreateAlignedLoad(vector_type_, from, llvm::Align(static_cast<unsigned>(lanes_) * 4));
    };
    const auto load_operand = [&](std::size_t row) {
      llvm::Value* from = offset(offset(vectors[row], column), builder_.getInt64(k));
      return builder_.CreateVectorSplat(static_cast<unsigned>(lanes_),
                                        builder_.CreateLoad(builder_.getFloatTy(), from));
    };
    // An outer product: the shorter side is held, the longer one passes by, so that what lives beside the chains is
    // least.
    if (weights < vectors.size())
      outer_product(
          weights, load_weight, vectors.size(), load_operand,
          [&](std::size_t weight, std::size_t row) { return row * weights + weight; }, chains);
    else
      outer_product(
          vectors.size(), load_operand, weights, load_weight,
          [&](std::size_t row, std::size_t weight) { return row * weights + weight; }, chains);
  }

  using Load = llvm::function_ref<llvm::Value*(std::size_t)>;

  void outer_product(std::size_t held_count, Load load_held, std::size_t passing_count, Load load_passing,
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

  llvm::Value* offset(llvm::Value* pointer, llvm::Value* floats) {
    return builder_.CreateGEP(builder_.getFloatTy(), pointer, floats);
  }

  // A stacked product is read through slices, one for each gate; a lone one is its own gate.
  void keep_gates(ir::Value product, const Panel& panel, const Values& chains) {
    const auto keep = [&](ir::Value value, int gate) {
      gates_.push_back(value);
      for (int row = 0; row < place_.tile.rows; ++row)
        for (int block = 0; block < place_.tile.blocks; ++block)
          values_[{value, row, block}] = chains[at(row, block) * static_cast<std::size_t>(panel.gates) + gate];
    };
    if (panel.gates == 1) return keep(product, 0);
    for (std::uint32_t i = product.index + 1; i < cell_.nodes.size(); ++i) {
      const Node& node = cell_.nodes[i];
      if (node.op == Op::Slice && node.operands[0] == product)
        keep(ir::Value{i}, static_cast<int>(node.ranges[0].begin.value() / panel.units));
    }
  }

  // ---- results

  void emit_store(const Store& store, llvm::Value* value, int row, int block) {
    llvm::Value* to = block_address(store.home, row, block);
    if (store.exact && is_tail(block))
      builder_.CreateMaskedStore(value, to, llvm::Align(4), tail_mask());
    else
      builder_.CreateAlignedStore(value, to, alignment(store.home));
  }

  // Partial result j of 16 gathers the units j, j + 16, j + 32, ...; a tile begins at a multiple of 16 units.
  void accumulate(const ReductionStep& step, llvm::Value* value, int row, int block) {
    const bool is_sum = cell_[step.node].reduction == ir::Reduction::Sum;
    if (is_tail(block)) value = builder_.CreateSelect(tail_mask(), value, functions_.splat(reduction_start(is_sum)));
    Home partials = step.partials;
    partials.offset += block * lanes_ % 16;
    llvm::Value* at_partials = address(partials, row);
    const llvm::Align align(static_cast<unsigned>(lanes_) * 4);
    llvm::Value* operands[] = {builder_.CreateAlignedLoad(vector_type_, at_partials, align), value};
    builder_.CreateAlignedStore(functions_.emit(is_sum ? ir::Function::Add : ir::Function::Max, operands), at_partials,
                                align);
  }

  llvm::IRBuilder<>& builder_;
  const StageContext& context_;
  const ir::Cell& cell_;
  const Stage& stage_;
  const TilePlace& place_;
  int lanes_;
  FunctionEmitter functions_;
  llvm::Type* vector_type_;
  std::map<Part, llvm::Value*> values_;
  std::vector<ir::Value> gates_;  // of the products emitted so far
  std::map<std::pair<Space, int>, llvm::Value*> row_bases_;
};

}  // namespace

float reduction_start(bool is_sum) { return is_sum ? 0.0f : -std::numeric_limits<float>::infinity(); }

void emit_tile(llvm::IRBuilder<>& builder, const StageContext& context, const Stage& stage, bool row_by_row,
               const TilePlace& place) {
  TileEmitter(builder, context, stage, place).run(row_by_row);
}

}  // namespace rnnc::compiler
