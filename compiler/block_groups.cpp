#include "compiler/block_groups.hpp"

namespace rnnc::compiler {
namespace {

llvm::Value* number(llvm::IRBuilder<>& builder, std::int64_t value) {
  return builder.getInt64(static_cast<std::uint64_t>(value));
}

}  // namespace

BlockGroups::BlockGroups(const StageContext& context, const Stage& stage, int width, bool tail_alone)
    : part_(context.part), width_(width) {
  const std::int64_t full = stage.units / context.plan.lanes;
  const bool has_tail = stage.units % context.plan.lanes != 0;
  alike_ = full / width;
  const auto left = static_cast<int>(full % width);
  if (has_tail && !tail_alone)
    rest_.push_back({alike_ * width, left + 1, true});
  else if (left > 0)
    rest_.push_back({alike_ * width, left, false});
  if (has_tail && tail_alone) rest_.push_back({full, 1, true});
}

void BlockGroups::for_each(llvm::IRBuilder<>& builder, llvm::function_ref<void(int, llvm::Value*, bool)> body) const {
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
  if (alike_ > 0)
    emit_for(builder, scaled(begin), scaled(end_alike), width_,
             [&](llvm::Value* block) { body(width_, block, false); });
  for (std::size_t i = 0; i < rest_.size(); ++i) {
    const auto emit = [&] { body(rest_[i].blocks, number(builder, rest_[i].block), rest_[i].has_tail); };
    if (!part_.index) {
      emit();
      continue;
    }
    llvm::Value* group = number(builder, alike_ + static_cast<std::int64_t>(i));
    emit_if(builder, builder.CreateAnd(builder.CreateICmpULE(begin, group), builder.CreateICmpUGT(end, group)), emit);
  }
}

}  // namespace rnnc::compiler
