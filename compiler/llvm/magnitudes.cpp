#include "compiler/llvm/magnitudes.hpp"

#include <llvm/IR/Constants.h>

#include <algorithm>
#include <limits>

#include "compiler/llvm/types.hpp"

namespace rnnc::compiler {

using ir::Cell;
using ir::Node;
using ir::Op;

namespace {

bool is_normal_constant(const Node& node) {
  return node.op == Op::Constant && node.constant >= std::numeric_limits<float>::min();
}

llvm::FixedVectorType* bits_of(llvm::IRBuilderBase& builder, int lanes) {
  return llvm::FixedVectorType::get(builder.getInt32Ty(), static_cast<unsigned>(lanes));
}

}  // namespace

bool is_largest_magnitude(const StageContext& context, ir::Value reduction) {
  if (!sums_vectors_alone(context.target.byte_products)) return false;
  const Cell& cell = context.schedule.cell;
  const Node& vector = cell[cell[reduction].operands[0]];
  if (cell[reduction].reduction != ir::Reduction::Max || vector.op != Op::Map || vector.function != ir::Function::Abs)
    return false;
  int limits = 0;
  for (const Node& node : cell.nodes) {
    if (std::ranges::find(node.operands, reduction) == node.operands.end()) continue;
    const bool is_limit = node.op == Op::Map && node.function == ir::Function::Max &&
                          is_normal_constant(cell[node.operands[node.operands[0] == reduction ? 1 : 0]]);
    if (!is_limit) return false;
    ++limits;
  }
  return limits == context.schedule.uses[reduction.index];
}

llvm::Value* no_magnitudes(llvm::IRBuilderBase& builder, int lanes) {
  return llvm::Constant::getNullValue(bits_of(builder, lanes));
}

llvm::Value* load_magnitudes(llvm::IRBuilderBase& builder, llvm::Value* at, int lanes) {
  return builder.CreateAlignedLoad(bits_of(builder, lanes), at, alignment_of(lanes));
}

void store_magnitudes(llvm::IRBuilderBase& builder, llvm::Value* magnitudes, llvm::Value* at) {
  const auto* type = llvm::cast<llvm::FixedVectorType>(magnitudes->getType());
  builder.CreateAlignedStore(magnitudes, at, alignment_of(type->getNumElements()));
}

llvm::Value* larger_magnitudes(llvm::IRBuilderBase& builder, llvm::Value* magnitudes, llvm::Value* floats,
                               llvm::Value* units) {
  llvm::Type* type = magnitudes->getType();
  llvm::Value* bits = builder.CreateAnd(builder.CreateBitCast(floats, type), llvm::ConstantInt::get(type, 0x7fffffff));
  if (units) bits = builder.CreateSelect(units, bits, llvm::Constant::getNullValue(type));
  const auto* known = llvm::dyn_cast<llvm::Constant>(magnitudes);
  if (known && known->isNullValue()) return bits;
  return builder.CreateBinaryIntrinsic(llvm::Intrinsic::smax, magnitudes, bits);
}

llvm::Value* largest_of_lanes(llvm::IRBuilderBase& builder, llvm::Value* magnitudes) {
  return builder.CreateBitCast(builder.CreateIntMaxReduce(magnitudes, true), type_of(builder));
}

}  // namespace rnnc::compiler
