#include "compiler/tile.hpp"

#include <llvm/IR/Constants.h>

#include <functional>
#include <limits>

#include "ir/check.hpp"

namespace rnnc::compiler {

using ir::Node;
using ir::Op;

float reduction_start(bool is_sum) { return is_sum ? 0.0f : -std::numeric_limits<float>::infinity(); }

Gates::Gates(const StageContext& context, const Stage& stage) {
  const ir::Cell& cell = context.schedule.cell;
  for (ir::Value product : stage.products) {
    const int gates = context.plan.panel(product).gates;
    first_[product] = count_;
    if (gates == 1) gate_[product] = count_;
    count_ += gates;
  }
  // A stacked product is read through slices, one for each gate.
  for (std::uint32_t i = 0; i < cell.nodes.size(); ++i) {
    const auto product = is_gate(cell, ir::Value{i}) ? first_.find(cell.nodes[i].operands[0]) : first_.end();
    if (product != first_.end())
      gate_[ir::Value{i}] = product->second + static_cast<int>(cell.nodes[i].ranges[0].begin.value() / stage.units);
  }
}

int Gates::find(ir::Value value) const {
  const auto found = gate_.find(value);
  return found == gate_.end() ? -1 : found->second;
}

Tile::Tile(llvm::IRBuilder<>& builder, const StageContext& context, const Stage& stage, const Gates& gates,
           const TilePlace& place, Parked parked)
    : builder_(builder),
      context_(context),
      cell_(context.schedule.cell),
      stage_(stage),
      gates_(gates),
      place_(place),
      parked_(parked),
      lanes_(context.plan.lanes),
      functions_(builder, static_cast<unsigned>(lanes_), context.target.fma),
      vector_type_(llvm::FixedVectorType::get(builder.getFloatTy(), static_cast<unsigned>(lanes_))) {}

llvm::Value* Tile::row_base(Space space, int row) {
  llvm::Value*& base = row_bases_[{space, row}];
  if (base) return base;
  const Rows& rows = context_.spaces[static_cast<int>(space)];
  if (row == 0)
    return base = builder_.CreateGEP(builder_.getFloatTy(), rows.base, builder_.CreateMul(place_.row, rows.stride));
  return base = builder_.CreateGEP(builder_.getFloatTy(), row_base(space, 0),
                                   builder_.CreateMul(builder_.getInt64(row), rows.stride));
}

llvm::Value* Tile::address(const Home& home, int row) {
  return builder_.CreateGEP(builder_.getFloatTy(), row_base(home.space, row), builder_.getInt64(home.offset));
}

llvm::Value* Tile::block_address(const Home& home, int row, int block) {
  llvm::Value* first = builder_.CreateMul(place_.block, builder_.getInt64(lanes_));
  return builder_.CreateGEP(builder_.getFloatTy(), builder_.CreateGEP(builder_.getFloatTy(), address(home, row), first),
                            builder_.getInt64(block * lanes_));
}

// Rows of ours begin on a cache line; the caller's begin anywhere.
llvm::Align Tile::alignment(const Home& home) const {
  const bool ours = home.space != Space::Input && home.space != Space::Output;
  return llvm::Align(ours && home.offset % lanes_ == 0 ? static_cast<unsigned>(lanes_) * 4 : 4);
}

llvm::Constant* Tile::tail_mask() {
  std::vector<llvm::Constant*> bits;
  for (int lane = 0; lane < lanes_; ++lane) bits.push_back(builder_.getInt1(lane < stage_.units % lanes_));
  return llvm::ConstantVector::get(bits);
}

// Whether the value lies in memory when the stage begins.
bool Tile::is_loaded(ir::Value value) const {
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
    case Op::Matvec:
    case Op::Lookup:
    case Op::Scan:
    case Op::FinalState:
    case Op::OverTime: break;
  }
  ir::internal_error(&cell_, "an op that has no code reached code generation");
}

llvm::Value* Tile::load(const Part& part) {
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
Tile::Part Tile::canonical(Part part) const {
  const Node& node = cell_[part.value];
  if (node.type.rank() == 0) part.block = 0;
  if (node.op == Op::Constant) part.row = 0;
  if (is_loaded(part.value) && context_.schedule.find(part.value)->space == Space::Weights) part.row = 0;
  return part;
}

// Depth first with a stack of our own: expressions may nest deeper than the machine's.
llvm::Value* Tile::value(ir::Value wanted, int row, int block) {
  std::vector<Part> pending{canonical({wanted, row, block})};
  while (!pending.empty()) {
    const Part part = pending.back();
    if (values_.contains(part)) {
      pending.pop_back();
      continue;
    }
    const Node& node = cell_[part.value];
    if (node.op == Op::Constant)
      values_[part] = functions_.splat(node.constant);
    else if (is_loaded(part.value))
      values_[part] = load(part);
    else if (const int gate = gates_.find(part.value); gate >= 0)
      values_[part] = gate_value(gate, part.row, part.block);
    else if (!apply(node, part, pending))
      continue;
  }
  return values_.at(canonical({wanted, row, block}));
}

// The function of a Map where all operands are there; else what is missing becomes pending.
bool Tile::apply(const Node& node, const Part& part, std::vector<Part>& pending) {
  RNNC_ASSERT(node.op == Op::Map, &cell_);
  const bool one_division = shares_division(node);
  Values operands;
  for (ir::Value operand : node.operands) {
    if (one_division && is_deferred(operand)) operand = cell_[operand].operands[0];
    const Part needed = canonical({operand, part.row, part.block});
    const auto found = values_.find(needed);
    if (found == values_.end())
      pending.push_back(needed);
    else
      operands.push_back(found->second);
  }
  if (operands.size() < node.operands.size()) return false;
  values_[part] = one_division ? divide_once(node, operands) : functions_.emit(node.function, operands);
  return true;
}

// A quotient that only this stage's product needs, and that thus may be divided together with it.
bool Tile::is_deferred(ir::Value value) const {
  const Node& node = cell_[value];
  return node.op == Op::Map && FunctionEmitter::is_quotient(node.function) &&
         context_.schedule.uses[value.index] == 1 && !is_loaded(value);
}

// Two quotients, or a value and a sigmoid, whose numerator is 1.
bool Tile::shares_division(const Node& product) const {
  if (product.function != ir::Function::Mul) return false;
  const ir::Value a = product.operands[0], b = product.operands[1];
  if (is_deferred(a) && is_deferred(b)) return true;
  return (is_deferred(a) && cell_[a].function == ir::Function::Sigmoid) ||
         (is_deferred(b) && cell_[b].function == ir::Function::Sigmoid);
}

llvm::Value* Tile::divide_once(const Node& product, const Values& operands) {
  const auto quotient = [&](int i) {
    return functions_.quotient(cell_[product.operands[static_cast<std::size_t>(i)]].function,
                               operands[static_cast<std::size_t>(i)]);
  };
  const bool first = is_deferred(product.operands[0]), second = is_deferred(product.operands[1]);
  if (first && second) return functions_.multiply(quotient(0), quotient(1));
  return first ? functions_.multiply(operands[1], quotient(0)) : functions_.multiply(operands[0], quotient(1));
}

llvm::Value* Tile::gate_value(int gate, int row, int block) {
  const auto known = gate_values_.find({gate, row, block});
  if (known != gate_values_.end()) return known->second;
  return builder_.CreateLoad(vector_type_, slot(gate, row, block));
}

void Tile::set_gate(int gate, int row, int block, llvm::Value* value) { gate_values_[{gate, row, block}] = value; }

llvm::Value* Tile::slot(int gate, int row, int block) {
  llvm::Value* parked_row =
      builder_.CreateAdd(builder_.CreateSub(place_.row, parked_.first_row), builder_.getInt64(row));
  llvm::Value* first = builder_.CreateMul(parked_row, builder_.getInt64(place_.blocks * gates_.count()));
  return builder_.CreateGEP(vector_type_, builder_.CreateGEP(vector_type_, parked_.base, first),
                            builder_.getInt64(block * gates_.count() + gate));
}

void Tile::finish() {
  // All values before any store: a stage may overwrite in place what it reads.
  std::vector<std::function<void()>> writes;
  for (int row = 0; row < place_.rows; ++row)
    for (int block = 0; block < place_.blocks; ++block) {
      for (const Store& one : stage_.stores) {
        llvm::Value* result = value(one.value, row, block);
        writes.emplace_back([this, &one, result, row, block] { store(one, result, row, block); });
      }
      for (const ReductionStep& step : stage_.reductions) {
        llvm::Value* operand = value(cell_[step.node].operands[0], row, block);
        writes.emplace_back([this, &step, operand, row, block] { accumulate(step, operand, row, block); });
      }
    }
  for (const auto& write : writes) write();
}

void Tile::store(const Store& store, llvm::Value* value, int row, int block) {
  llvm::Value* to = block_address(store.home, row, block);
  if (store.exact && is_tail(block))
    builder_.CreateMaskedStore(value, to, llvm::Align(4), tail_mask());
  else
    builder_.CreateAlignedStore(value, to, alignment(store.home));
}

// Partial result j of 16 gathers the units j, j + 16, j + 32, ...; a tile begins at a multiple of 16 units.
void Tile::accumulate(const ReductionStep& step, llvm::Value* value, int row, int block) {
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

}  // namespace rnnc::compiler
