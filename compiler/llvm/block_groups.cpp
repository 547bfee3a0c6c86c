#include "compiler/llvm/block_groups.hpp"

#include <algorithm>

namespace rnnc::compiler {
namespace {

llvm::Value* number(llvm::IRBuilder<>& builder, std::int64_t value) {
  return builder.getInt64(static_cast<std::uint64_t>(value));
}

}  // namespace

BlockGroups::BlockGroups(const StageContext& context, const Stage& stage, int width, bool packed_alone)
    : part_(context.part), width_(width) {
  const std::int64_t full = stage.units / context.plan.lanes;
  const std::int64_t blocks = full + (stage.units % context.plan.lanes != 0 ? 1 : 0);
  const bool has_tail = blocks > full;
  const bool is_packed = has_tail && std::any_of(stage.products.begin(), stage.products.end(), [&](ir::Value product) {
                           return context.plan.panel(product).is_packed();
                         });
  if (has_tail && !is_packed && blocks % width == 0) tail_of_alike_ = Tail::Maybe;
  alike_ = (tail_of_alike_ == Tail::Maybe ? blocks : full) / width;
  const std::int64_t first = alike_ * width;
  const std::int64_t end = is_packed && packed_alone ? full : blocks;
  if (end > first) rest_.push_back({first, static_cast<int>(end - first), end > full ? Tail::Last : Tail::None});
  if (blocks > end) rest_.push_back({end, 1, Tail::Last});
}

void BlockGroups::for_each(llvm::IRBuilder<>& builder, llvm::function_ref<void(int, llvm::Value*, Tail)> body,
                           llvm::Value* turned) const {
  const auto groups = static_cast<std::int64_t>(rest_.size()) + alike_;
  llvm::Value *begin = number(builder, 0), *end = number(builder, groups), *end_alike = number(builder, alike_);
  if (part_.index) {
    const auto bound = [&](llvm::Value* part) {
      return builder.CreateUDiv(builder.CreateMul(number(builder, groups), part), part_.count);
    };
    begin = bound(part_.index);
    end = bound(builder.CreateAdd(part_.index, number(builder, 1)));
    end_alike = builder.CreateBinaryIntrinsic(llvm::Intrinsic::umin, end, end_alike);
  }
  const auto scaled = [&](llvm::Value* group) { return builder.CreateMul(group, number(builder, width_)); };
  llvm::Value *first = scaled(begin), *behind = scaled(end_alike);
  const auto in_order = [&](llvm::Value* block) {
    if (!turned) return block;
    llvm::Value* last = builder.CreateSub(behind, number(builder, width_));
    llvm::Value* mirrored = builder.CreateSub(builder.CreateAdd(first, last), block);
    return builder.CreateSelect(turned, mirrored, block);
  };
  if (alike_ > 0)
    emit_for(
        builder, first, behind, width_, [&](llvm::Value* block) { body(width_, in_order(block), tail_of_alike_); },
        "units");
  for (std::size_t i = 0; i < rest_.size(); ++i) {
    const auto emit = [&] { body(rest_[i].blocks, number(builder, rest_[i].block), rest_[i].tail); };
    if (!part_.index) {
      emit();
      continue;
    }
    llvm::Value* group = number(builder, alike_ + static_cast<std::int64_t>(i));
    emit_if(builder, builder.CreateAnd(builder.CreateICmpULE(begin, group), builder.CreateICmpUGT(end, group)), emit);
  }
}

}  // namespace rnnc::compiler
