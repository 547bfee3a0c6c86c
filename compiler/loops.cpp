#include "compiler/loops.hpp"

namespace rnnc::compiler {

// A guard, then a loop that tests at its end. Where both ends are known there is no guard, and a single pass is no
// loop.
Values emit_for(llvm::IRBuilder<>& builder, llvm::Value* begin, llvm::Value* end, std::int64_t step, Values carried,
                llvm::function_ref<Values(llvm::Value*, Values)> body) {
  const auto* first = llvm::dyn_cast<llvm::ConstantInt>(begin);
  const auto* last = llvm::dyn_cast<llvm::ConstantInt>(end);
  const bool known = first && last;
  if (known && first->getSExtValue() >= last->getSExtValue()) return carried;
  if (known && first->getSExtValue() + step >= last->getSExtValue()) return body(begin, std::move(carried));

  llvm::LLVMContext& context = builder.getContext();
  llvm::Function* function = builder.GetInsertBlock()->getParent();
  llvm::BasicBlock* before = builder.GetInsertBlock();
  llvm::BasicBlock* loop = llvm::BasicBlock::Create(context, "loop", function);
  llvm::BasicBlock* after = llvm::BasicBlock::Create(context, "after", function);
  if (known)
    builder.CreateBr(loop);
  else
    builder.CreateCondBr(builder.CreateICmpSLT(begin, end), loop, after);

  builder.SetInsertPoint(loop);
  llvm::PHINode* i = builder.CreatePHI(builder.getInt64Ty(), 2, "i");
  i->addIncoming(begin, before);
  std::vector<llvm::PHINode*> phis;
  for (llvm::Value* value : carried) {
    phis.push_back(builder.CreatePHI(value->getType(), 2));
    phis.back()->addIncoming(value, before);
  }
  const Values next = body(i, Values(phis.begin(), phis.end()));
  llvm::Value* next_i = builder.CreateAdd(i, builder.getInt64(step), "", true, true);
  llvm::BasicBlock* latch = builder.GetInsertBlock();
  builder.CreateCondBr(builder.CreateICmpSLT(next_i, end), loop, after);
  i->addIncoming(next_i, latch);
  for (std::size_t k = 0; k < phis.size(); ++k) phis[k]->addIncoming(next[k], latch);

  builder.SetInsertPoint(after);
  Values result;
  for (std::size_t k = 0; k < phis.size(); ++k) {
    llvm::PHINode* value = builder.CreatePHI(next[k]->getType(), 2);
    if (!known) value->addIncoming(carried[k], before);
    value->addIncoming(next[k], latch);
    result.push_back(value);
  }
  return result;
}

void emit_for(llvm::IRBuilder<>& builder, llvm::Value* begin, llvm::Value* end, std::int64_t step,
              llvm::function_ref<void(llvm::Value*)> body) {
  emit_for(builder, begin, end, step, {}, [&](llvm::Value* i, Values) {
    body(i);
    return Values{};
  });
}

}  // namespace rnnc::compiler
