#include "compiler/llvm/tile.hpp"

#include <llvm/IR/Constants.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "compiler/llvm/magnitudes.hpp"
#include "compiler/llvm/types.hpp"
#include "compiler/schedule/stage_flow.hpp"
#include "ir/check.hpp"

namespace rnnc::compiler {

using ir::Node;
using ir::Op;

Largest choose_larger(llvm::IRBuilder<>& builder, const Largest& a, const Largest& b) {
  llvm::Value* a_is_nan = builder.CreateFCmpUNO(a.value, a.value);
  llvm::Value* b_is_nan = builder.CreateFCmpUNO(b.value, b.value);
  llvm::Value* larger = builder.CreateOr(builder.CreateFCmpOGT(b.value, a.value),
                                         builder.CreateAnd(b_is_nan, builder.CreateNot(a_is_nan)));
  llvm::Value* equal = builder.CreateOr(builder.CreateFCmpOEQ(a.value, b.value), builder.CreateAnd(a_is_nan, b_is_nan));
  larger = builder.CreateOr(larger, builder.CreateAnd(equal, builder.CreateFCmpOLT(b.index, a.index)));
  return {builder.CreateSelect(larger, b.value, a.value), builder.CreateSelect(larger, b.index, a.index)};
}

bool is_loaded(const StageContext& context, const Stage& stage, ir::Value value) {
  return is_loaded(context.schedule, stage, value);
}

ir::Value start_of(const StageContext& context, ir::Value product, int gate) {
  return context.schedule.cell[product].operands[static_cast<std::size_t>(2 + 2 * gate)];
}

Tile::Tile(llvm::IRBuilder<>& builder, const StageContext& context, const Stage& stage, const Gates& gates,
           const TilePlace& place, Parked parked)
    : Tile(builder, context, stage, gates, place, parked, context.plan.lanes) {
  functions_.set_branches(context.target.byte_products == ByteProducts::Dual);
}

Tile Tile::of_scalars(llvm::IRBuilder<>& builder, const StageContext& context, const Stage& stage, const Gates& gates,
                      llvm::Value* row) {
  return Tile(builder, context, stage, gates, {1, 1, row, builder.getInt64(0), Tail::None}, {}, 1);
}

Tile::Tile(llvm::IRBuilder<>& builder, const StageContext& context, const Stage& stage, const Gates& gates,
           const TilePlace& place, Parked parked, int lanes)
    : builder_(builder),
      context_(context),
      cell_(context.schedule.cell),
      stage_(stage),
      gates_(gates),
      place_(place),
      parked_(parked),
      lanes_(lanes),
      functions_(builder, static_cast<unsigned>(lanes_), context.target.fma),
      vector_type_(vector_of(builder, lanes_)) {}

llvm::Value* Tile::row_base(Space space, int row) {
  llvm::Value*& base = row_bases_[{space, row}];
  if (base) return base;
  const Rows& rows = context_.spaces[static_cast<int>(space)];
  if (row == 0 && place_.row == builder_.getInt64(0)) return base = rows.base;
  if (row == 0) return base = advance(builder_, rows.base, builder_.CreateMul(place_.row, rows.stride));
  return base = advance(builder_, row_base(space, 0), builder_.CreateMul(builder_.getInt64(row), rows.stride));
}

llvm::Value* Tile::address(const Home& home, int row) {
  return advance(builder_, row_base(home.space, row), context_.place(builder_, home.space, home.offset));
}

llvm::Value* Tile::block_address(const Home& home, int row, int block) {
  llvm::Value* first = builder_.CreateMul(place_.block, builder_.getInt64(lanes_));
  return advance(builder_, advance(builder_, address(home, row), first), builder_.getInt64(block * lanes_));
}

// Rows of ours begin on a cache line; the caller's begin anywhere.
llvm::Align Tile::alignment(const Home& home) const {
  const bool ours = home.space != Space::Input && home.space != Space::Output;
  return alignment_of(ours && home.offset % lanes_ == 0 ? lanes_ : 1);
}

llvm::Value* Tile::first_unit(int block) {
  return builder_.CreateMul(builder_.CreateAdd(place_.block, builder_.getInt64(block)), builder_.getInt64(lanes_));
}

// The mask selects the lanes of the tile's last block that are units of the stage.
llvm::Value* Tile::tail_mask(int block) {
  if (tail_mask_) return tail_mask_;
  std::vector<llvm::Constant*> lanes;
  for (int lane = 0; lane < lanes_; ++lane) lanes.push_back(builder_.getInt32(lane));
  llvm::Value* first = is_tail(block) ? builder_.getInt64(stage_.units / lanes_ * lanes_) : first_unit(block);
  llvm::Value* left =
      builder_.CreateTrunc(builder_.CreateSub(builder_.getInt64(stage_.units), first), builder_.getInt32Ty());
  return tail_mask_ = builder_.CreateICmpSLT(llvm::ConstantVector::get(lanes),
                                             builder_.CreateVectorSplat(static_cast<unsigned>(lanes_), left));
}

llvm::Value* Tile::load(const Element& element) {
  const Home home = *context_.schedule.find(element.value);
  if (cell_[element.value].type.rank() == 0)
    return builder_.CreateVectorSplat(static_cast<unsigned>(lanes_),
                                      builder_.CreateLoad(type_of(builder_), address(home, element.row)));
  llvm::Value* from = block_address(home, element.row, element.block);
  const llvm::Align align = alignment(home);
  if (may_be_tail(element.block) && align == alignment_of(1))  // what lies behind may not be ours to read
    return builder_.CreateMaskedLoad(vector_type_, from, align, tail_mask(element.block),
                                     llvm::Constant::getNullValue(vector_type_));
  return builder_.CreateAlignedLoad(vector_type_, from, align);
}

// A value that does not differ between rows or blocks is made once.
Tile::Element Tile::canonical(Element element) const {
  const Node& node = cell_[element.value];
  if (node.type.rank() == 0) element.block = 0;
  if (node.op == Op::Constant) element.row = 0;
  if (is_loaded(element.value) && context_.schedule.find(element.value)->space == Space::Weights) element.row = 0;
  return element;
}

// The walk goes depth first on a stack of its own, since expressions may nest deeper than the machine's stack.
llvm::Value* Tile::value(ir::Value wanted, int row, int block) {
  std::vector<Element> pending{canonical({wanted, row, block})};
  while (!pending.empty()) {
    const Element element = pending.back();
    if (values_.contains(element)) {
      pending.pop_back();
      continue;
    }
    const Node& node = cell_[element.value];
    if (node.op == Op::Constant)
      values_[element] = functions_.splat(node.constant);
    else if (scalars_ && node.type.rank() == 0)
      values_[element] = builder_.CreateVectorSplat(static_cast<unsigned>(lanes_), scalars_->value(element.value));
    else if (is_loaded(element.value))
      values_[element] = load(element);
    else if (const int gate = gates_.find(element.value); gate >= 0)
      values_[element] = gate_value(gate, element.row, element.block);
    else if (node.op == Op::Lookup ? !look_up(node, element, pending) : !apply(node, element, pending))
      continue;
  }
  return values_.at(canonical({wanted, row, block}));
}

// Scalars are computed where the code of the row begins, whatever code stands there or behind it now.
void RowScalars::move_to_begin() {
  if (llvm::Instruction* end = block_->getTerminator())
    builder_.SetInsertPoint(end);
  else
    builder_.SetInsertPoint(block_);
}

llvm::Value* RowScalars::value(ir::Value scalar) {
  llvm::Value*& known = values_[scalar];
  if (known) return known;
  const llvm::IRBuilderBase::InsertPointGuard guard(builder_);
  move_to_begin();
  return known = builder_.CreateExtractElement(tile_.value(scalar, 0, 0), builder_.getInt64(0));
}

llvm::Value* RowScalars::step(ir::Value integers, float constant, llvm::Value* all_numbers) {
  llvm::Value*& known = steps_[{integers, constant}];
  if (known) return known;
  const llvm::IRBuilderBase::InsertPointGuard guard(builder_);
  move_to_begin();
  const auto number = [&](float value) { return llvm::ConstantFP::get(type_of(builder_), value); };
  return known = builder_.CreateSelect(all_numbers, number(constant), number(std::numeric_limits<float>::quiet_NaN()));
}

// Computes the function of a Map if all operands are there; else the missing operands become pending.
bool Tile::apply(const Node& node, const Element& element, std::vector<Element>& pending) {
  RNNC_ASSERT(node.op == Op::Map || node.op == Op::Fill || node.op == Op::Quantize, &cell_);
  if (llvm::Value* product = product_of_step(node, element)) return values_[element] = product, true;
  Values operands;
  for (const ir::Value operand : node.operands) {
    const Element needed = canonical({operand, element.row, element.block});
    const auto found = values_.find(needed);
    if (found == values_.end())
      pending.push_back(needed);
    else
      operands.push_back(found->second);
  }
  if (operands.size() < node.operands.size()) return false;
  // LLVM 19 takes zeros divided by zeros for zeros, and leaves out what puts zeros in place of such lanes for a sum.
  if (node.op == Op::Map && node.function == runtime::Function::Div && node.type.rank() > 0 &&
      may_be_tail(element.block))
    operands[1] = builder_.CreateSelect(tail_mask(element.block), operands[1], functions_.splat(1));
  if (node.op == Op::Fill)
    values_[element] = operands[0];
  else if (node.op == Op::Quantize)
    values_[element] = builder_.CreateFMul(operands[0], operands[1]);  // the store rounds it
  else
    values_[element] = functions_.emit(node.function, operands);
  return true;
}

// Loads the row whose number the scalar is, or NaN where it is the number of none.
bool Tile::look_up(const Node& node, const Element& element, std::vector<Element>& pending) {
  const Element needed = canonical({node.operands[1], element.row, element.block});
  const auto found = values_.find(needed);
  if (found == values_.end()) return pending.push_back(needed), false;
  const Table table = table_of(cell_, node);
  const std::int64_t width = cell_[table.param].type.dims[1].value();
  llvm::Type* type = type_of(builder_);
  const auto number = [&](double value) { return llvm::ConstantFP::get(type, value); };
  llvm::Value* index = builder_.CreateExtractElement(found->second, builder_.getInt64(0));
  llvm::Value* within = builder_.CreateAnd(builder_.CreateFCmpOGE(index, number(0)),
                                           builder_.CreateFCmpOLT(index, number(static_cast<double>(table.rows))));
  // The index is converted only where it fits, since the result is not defined elsewhere.
  llvm::Value* row = builder_.CreateFPToSI(builder_.CreateSelect(within, index, number(0)), builder_.getInt64Ty());
  llvm::Value* whole = builder_.CreateFCmpOEQ(builder_.CreateSIToFP(row, type), index);
  const Home& home = *context_.schedule.homes[table.param.index];
  llvm::Value* offset = builder_.CreateAdd(
      builder_.CreateMul(row, builder_.getInt64(width)),
      context_.place(builder_, Space::Weights,
                     home.offset + table.first_row * width + table.first_column + element.block * lanes_));
  llvm::Value* base = context_.spaces[static_cast<int>(Space::Weights)].base;
  llvm::Value* from =
      advance(builder_, advance(builder_, base, offset), builder_.CreateMul(place_.block, builder_.getInt64(lanes_)));
  values_[element] = builder_.CreateSelect(builder_.CreateAnd(within, whole),
                                           builder_.CreateAlignedLoad(vector_type_, from, alignment_of(1)),
                                           functions_.splat(std::numeric_limits<float>::quiet_NaN()));
  return true;
}

llvm::Value* Tile::gate_value(int gate, int row, int block) {
  const auto known = gate_values_.find({gate, row, block});
  if (known != gate_values_.end()) return known->second;
  const Gates::Place place = gates_.place(gate, is_tail(block));
  llvm::Value* sums = made(place, row, block);
  if (!sums)
    sums = scaled(builder_.CreateLoad(vector_type_, slot(place.accumulator, row, block)), place.accumulator, block);
  return from_lane(marked(sums, gates_.panel_of(place.accumulator, is_tail(block)).product, row), place.lane);
}

// Lanes beyond those of the gate hold those of others, which nobody reads.
llvm::Value* Tile::from_lane(llvm::Value* vector, int lane) {
  if (lane == 0) return vector;
  std::vector<int> lanes;
  for (int i = 0; i < lanes_; ++i) lanes.push_back((i + lane) % lanes_);
  return builder_.CreateShuffleVector(vector, lanes);
}

// Packs the units left of several gates into one vector, gate after gate.
llvm::Value* Tile::pack(llvm::ArrayRef<llvm::Value*> gates) {
  const auto left = static_cast<int>(stage_.units % lanes_);
  llvm::Value* packed = gates[0];
  for (int gate = 1; gate < static_cast<int>(gates.size()); ++gate) {
    std::vector<int> lanes;
    for (int i = 0; i < lanes_; ++i) lanes.push_back(i < gate * left ? i : lanes_ + (i - gate * left) % left);
    packed = builder_.CreateShuffleVector(packed, gates[static_cast<std::size_t>(gate)], lanes);
  }
  return packed;
}

Values Tile::starts(ir::Value product, int row, int block) {
  const Panel& panel = context_.plan.panel(product);
  Values gates;
  for (int gate = 0; gate < panel.gates; ++gate) gates.push_back(value(start_of(context_, product, gate), row, block));
  if (!is_tail(block) || !panel.is_packed()) return gates;
  Values packed;
  for (std::size_t gate = 0; gate < gates.size(); gate += static_cast<std::size_t>(panel.tail_gates))
    packed.push_back(pack(llvm::ArrayRef(gates).slice(gate).take_front(static_cast<std::size_t>(panel.tail_gates))));
  return packed;
}

void Tile::set_product(ir::Value product, int row, int block, llvm::ArrayRef<llvm::Value*> accumulators) {
  const int first = gates_.first_of(product), first_accumulator = gates_.first_accumulator(product, is_tail(block));
  for (int gate = first; gate < first + context_.plan.panel(product).gates; ++gate) {
    const Gates::Place place = gates_.place(gate, is_tail(block));
    llvm::Value* vector = accumulators[static_cast<std::size_t>(place.accumulator - first_accumulator)];
    llvm::Value* sums = scaled(vector, place.accumulator, block);
    gate_values_[{gate, row, block}] = from_lane(marked(sums, product, row), place.lane);
  }
}

void Tile::set_product(ir::Value product, int row, int block, llvm::ArrayRef<Deferred> accumulators) {
  const int first = gates_.first_accumulator(product, is_tail(block));
  for (std::size_t i = 0; i < accumulators.size(); ++i)
    deferred_[{first + static_cast<int>(i), row, block}] = accumulators[i];
}

// Returns the scaled sums of a deferred accumulator; null if it is none.
llvm::Value* Tile::made(const Gates::Place& place, int row, int block) {
  const auto deferred = deferred_.find({place.accumulator, row, block});
  if (deferred == deferred_.end()) return nullptr;
  llvm::Value*& known = made_[{place.accumulator, row, block}];
  return known = known ? known : scaled(deferred->second(), place.accumulator, block);
}

// A row's slots are those of one product after the other, so that each product's are side by side.
llvm::Value* Tile::slot(int accumulator, int row, int block) {
  const auto from = [&](llvm::Value* place, llvm::Value* first, int more) {
    return builder_.CreateAdd(builder_.CreateSub(place, first), builder_.getInt64(more));
  };
  const Gates::Slot slot = gates_.slot(accumulator, is_tail(block));
  llvm::Value* row_slot = builder_.CreateMul(from(place_.row, parked_.first_row, row),
                                             builder_.getInt64(gates_.accumulators(is_tail(block)) * parked_.blocks));
  llvm::Value* block_slot =
      builder_.CreateMul(from(place_.block, parked_.first_block, block), builder_.getInt64(slot.accumulators));
  llvm::Value* first = builder_.CreateGEP(vector_type_, parked_.base, builder_.CreateAdd(row_slot, block_slot));
  return builder_.CreateGEP(vector_type_, first, builder_.getInt64(slot.first * parked_.blocks + slot.index));
}

void Tile::finish() {
  // All values are computed before any store, since a stage may overwrite in place what it reads.
  std::vector<std::function<void()>> writes;
  for (int row = 0; row < place_.rows; ++row)
    for (int block = 0; block < place_.blocks; ++block) {
      for (const Store& one : stage_.stores) {
        llvm::Value* result = value(one.value, row, block);
        writes.emplace_back([this, &one, result, row, block] { store(one, result, row, block); });
      }
      for (const ReductionStep& step : stage_.reductions) {
        if (is_largest_magnitude(context_, step.node)) continue;
        llvm::Value* operand = value(cell_[step.node].operands[0], row, block);
        writes.emplace_back([this, &step, operand, row, block] { accumulate(step, operand, row, block); });
      }
    }
  for (const ReductionStep& step : stage_.reductions)
    if (is_largest_magnitude(context_, step.node))
      for (int row = 0; row < place_.rows; ++row) accumulate_magnitudes(step, row);
  for (const auto& write : writes) write();
}

void Tile::accumulate_magnitudes(const ReductionStep& step, int row) {
  const ir::Value vector = cell_[cell_[step.node].operands[0]].operands[0];
  llvm::Value* at = address(step.partials, row);
  const bool is_whole = has_all_units(stage_, place_.blocks, lanes_);
  llvm::Value* largest = is_whole ? no_magnitudes(builder_, lanes_) : load_magnitudes(builder_, at, lanes_);
  for (int block = 0; block < place_.blocks; ++block)
    largest = larger_magnitudes(builder_, largest, value(vector, row, block),
                                may_be_tail(block) ? tail_mask(block) : nullptr);
  if (is_whole)
    builder_.CreateStore(largest_of_lanes(builder_, largest), address(step.result, row));
  else
    store_magnitudes(builder_, largest, at);
}

void Tile::store(const Store& store, llvm::Value* value, int row, int block) {
  if (store.home.digits > 0) return store_integers(store, value, row, block);
  llvm::Value* to = block_address(store.home, row, block);
  const auto store_all = [&] { builder_.CreateAlignedStore(value, to, alignment(store.home)); };
  const auto store_units = [&] { builder_.CreateMaskedStore(value, to, alignment_of(1), tail_mask(block)); };
  if (!store.exact || !may_be_tail(block)) return store_all();
  if (is_tail(block)) return store_units();
  // Masked stores are slow on some CPUs: only the last block pays for them.
  llvm::Value* end = builder_.CreateAdd(first_unit(block), builder_.getInt64(lanes_));
  llvm::Value* mask = tail_mask(block);
  emit_if(builder_, builder_.CreateICmpSLE(end, builder_.getInt64(stage_.units)), store_all,
          [&] { builder_.CreateMaskedStore(value, to, alignment_of(1), mask); });
}

void Tile::accumulate(const ReductionStep& step, llvm::Value* value, int row, int block) {
  const Combining combining = combining_of(cell_[step.node].reduction);
  if (may_be_tail(block)) value = builder_.CreateSelect(tail_mask(block), value, functions_.splat(combining.start));
  llvm::Value* first = builder_.CreateAnd(first_unit(block), builder_.getInt64(kPartials - 1));
  llvm::Value* at_partials = advance(builder_, address(step.partials, row), first);
  const llvm::Align align(static_cast<unsigned>(lanes_) * 4);
  llvm::Value* old = builder_.CreateAlignedLoad(vector_type_, at_partials, align);
  if (combining.has_indices) {
    llvm::Value* at_indices = advance(builder_, at_partials, builder_.getInt64(kPartials));
    const Largest before{old, builder_.CreateAlignedLoad(vector_type_, at_indices, align)};
    const Largest larger = choose_larger(builder_, before, {value, unit_numbers(block)});
    builder_.CreateAlignedStore(larger.value, at_partials, align);
    builder_.CreateAlignedStore(larger.index, at_indices, align);
    return;
  }
  llvm::Value* operands[] = {old, value};
  builder_.CreateAlignedStore(functions_.emit(combining.function, operands), at_partials, align);
}

llvm::Value* Tile::unit_numbers(int block) {
  std::vector<llvm::Constant*> lanes;
  for (int lane = 0; lane < lanes_; ++lane) lanes.push_back(llvm::ConstantFP::get(type_of(builder_), lane));
  llvm::Value* first = builder_.CreateSIToFP(first_unit(block), type_of(builder_));
  return builder_.CreateFAdd(builder_.CreateVectorSplat(static_cast<unsigned>(lanes_), first),
                             llvm::ConstantVector::get(lanes));
}

}  // namespace rnnc::compiler
