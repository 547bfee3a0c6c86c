// The part of Tile that knows integers: vectors become integers in memory, and sums of integers become floats.
#include <limits>

#include "compiler/llvm/quantized.hpp"
#include "compiler/llvm/tile.hpp"
#include "compiler/llvm/types.hpp"

namespace rnnc::compiler {

using ir::Node;
using ir::Op;

// Data behind the weights of integers have the order of a column's vectors, with `count` numbers for each lane.
llvm::Value* Tile::behind_panel(const Panel& panel, std::int64_t offset, int count, int block) {
  llvm::Value* base = context_.spaces[static_cast<int>(Space::Weights)].base;
  llvm::Value* first = builder_.CreateMul(first_unit(block), builder_.getInt64(panel.gates * count));
  return advance(builder_, advance(builder_, base, context_.place(builder_, Space::Weights, panel.offset + offset)),
                 first);
}

llvm::Value* Tile::panel_base(ir::Value product) {
  return advance(builder_, context_.spaces[static_cast<int>(Space::Weights)].base,
                 context_.place(builder_, Space::Weights, context_.plan.panel(product).offset));
}

llvm::Value* Tile::all_integer_starts(ir::Value product) {
  const Panel& panel = context_.plan.panel(product);
  return panel.shifted ? advance(builder_, panel_base(product), builder_.getInt64(panel.shape().starts())) : nullptr;
}

llvm::Value* Tile::integer_starts(ir::Value product, int block) {
  const Panel& panel = context_.plan.panel(product);
  if (!panel.shifted) return nullptr;
  return behind_panel(panel, panel.shape().starts(), runtime::weight_digits(panel.format), block);
}

// Sums of integers are multiplied by the scales of their rows. The scale of the vector is in the graph.
llvm::Value* Tile::scaled(llvm::Value* sums, int accumulator, int block) {
  const Panel& panel = gates_.panel_of(accumulator, is_tail(block));
  if (!runtime::is_integer(panel.format)) return sums;
  llvm::Value* scales = advance(builder_, behind_panel(panel, panel.shape().scales(), 1, block),
                                builder_.getInt64(gates_.slot(accumulator, is_tail(block)).index * lanes_));
  return builder_.CreateFMul(sums, builder_.CreateAlignedLoad(vector_type_, scales, alignment_of(lanes_)));
}

// Returns NaN in place of a product with an element that is no number.
llvm::Value* Tile::marked(llvm::Value* product, ir::Value node, int row) {
  const ir::Value integers = cell_[node].operands[0];
  if (!ir::is_of_integers(cell_, cell_[node]) || !may_be_no_numbers(integers)) return product;
  // A mask for all lanes; a branch for each vector would take longer.
  llvm::Value* mask = builder_.CreateVectorSplat(static_cast<unsigned>(lanes_), is_all_numbers(integers, row));
  return builder_.CreateSelect(mask, product, functions_.splat(std::numeric_limits<float>::quiet_NaN()));
}

// A product that is multiplied by a constant step is NaN if the step is. So a Cortex-M, which has no instruction that
// chooses for all lanes or is short of registers, chooses once for a row.
llvm::Value* Tile::product_of_step(const Node& node, const Element& element) {
  if (!sums_vectors_alone(context_.target.byte_products) || node.op != Op::Map || node.function != ir::Function::Mul ||
      cell_[node.operands[1]].op != Op::Constant)
    return nullptr;
  const int gate = gates_.find(node.operands[0]);
  if (gate < 0) return nullptr;
  const Gates::Place place = gates_.place(gate, is_tail(element.block));
  const ir::Value project = gates_.panel_of(place.accumulator, is_tail(element.block)).product;
  if (!ir::is_of_integers(cell_, cell_[project]) || !may_be_no_numbers(cell_[project].operands[0])) return nullptr;
  llvm::Value* sums = scalars_ ? made(place, element.row, element.block) : nullptr;
  if (!sums) return nullptr;
  const ir::Value integers = cell_[project].operands[0];
  llvm::Value* step = scalars_->step(integers, cell_[node.operands[1]].constant, is_all_numbers(integers, element.row));
  return builder_.CreateFMul(from_lane(sums, place.lane),
                             builder_.CreateVectorSplat(static_cast<unsigned>(lanes_), step));
}

// The integer of one digit nearest to an element in the range is in the range too, and one that was scaled by the
// largest magnitude is always in it. A Cortex-M clips no more than it has to.
ByteForm Tile::byte_form_of(ir::Value integers) const {
  const Home home = *context_.schedule.find(integers);
  ByteForm form{home.digits, context_.target.byte_products == ByteProducts::Unsigned};
  if (!sums_vectors_alone(context_.target.byte_products)) return form;
  form.is_marked = may_be_no_numbers(integers);
  form.is_clipped = form.is_marked && home.digits > 1;
  form.compares_bits = context_.target.byte_products == ByteProducts::Dual;
  return form;
}

bool Tile::may_be_no_numbers(ir::Value integers) const { return cell_[cell_[integers].operands[1]].op == Op::Constant; }

llvm::Value* Tile::is_all_numbers(ir::Value integers, int row) {
  llvm::Value*& known = all_numbers_[{integers, row}];
  if (known) return known;
  const Home home = *context_.schedule.find(integers);
  const std::int64_t units = (home.size + lanes_ - 1) / lanes_ * lanes_;
  if (context_.target.byte_products == ByteProducts::Dual)
    return known = emit_all_numbers_in_words(builder_, byte_form_of(integers), address(home, row), units * home.digits);
  return known = emit_all_numbers(builder_, byte_form_of(integers), address(home, row), units * home.digits, lanes_);
}

// All lanes of the last block are stored: those that are no units are zeros.
void Tile::store_integers(const Store& store, llvm::Value* scaled, int row, int block) {
  llvm::Value* units = may_be_tail(block) && stage_.units % lanes_ != 0 ? tail_mask(block) : nullptr;
  llvm::Value* bytes = emit_bytes(builder_, byte_form_of(store.value), scaled, units);
  llvm::Value* first = builder_.CreateMul(first_unit(block), builder_.getInt64(store.home.digits));
  llvm::Value* to = builder_.CreateGEP(builder_.getInt8Ty(), address(store.home, row), first);
  builder_.CreateAlignedStore(bytes, to, llvm::Align(static_cast<std::uint64_t>(lanes_)));
}

}  // namespace rnnc::compiler
