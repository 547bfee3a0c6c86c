#include "compiler/llvm/loops.hpp"

namespace rnnc::compiler {

Values emit_for(llvm::IRBuilder<>& builder, llvm::Value* begin, llvm::Value* end, std::int64_t step, Values carried,
                llvm::function_ref<Values(llvm::Value*, Values)> body, const char* name) {
  return emit_for(builder, begin, end, builder.getInt64(static_cast<std::uint64_t>(step)), std::move(carried), body,
                  name);
}

// The loop tests at its end, so that a guard skips it where there is no pass. Where begin, end and step are constants
// there is no guard, and a single pass is no loop.
Values emit_for(llvm::IRBuilder<>& builder, llvm::Value* begin, llvm::Value* end, llvm::Value* step, Values carried,
                llvm::function_ref<Values(llvm::Value*, Values)> body, const char* name) {
  const auto* first = llvm::dyn_cast<llvm::ConstantInt>(begin);
  const auto* last = llvm::dyn_cast<llvm::ConstantInt>(end);
  const auto* distance = llvm::dyn_cast<llvm::ConstantInt>(step);
  const bool known = first && last && distance;
  if (known && first->getSExtValue() >= last->getSExtValue()) return carried;
  if (known && first->getSExtValue() + distance->getSExtValue() >= last->getSExtValue())
    return body(begin, std::move(carried));

  llvm::LLVMContext& context = builder.getContext();
  llvm::Function* function = builder.GetInsertBlock()->getParent();
  llvm::BasicBlock* before = builder.GetInsertBlock();
  llvm::BasicBlock* loop = llvm::BasicBlock::Create(context, name, function);
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
  llvm::Value* next_i = builder.CreateAdd(i, step, "", true, true);
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
              llvm::function_ref<void(llvm::Value*)> body, const char* name) {
  emit_for(
      builder, begin, end, step, {},
      [&](llvm::Value* i, Values) {
        body(i);
        return Values{};
      },
      name);
}

void emit_if(llvm::IRBuilder<>& builder, llvm::Value* condition, llvm::function_ref<void()> then,
             llvm::function_ref<void()> otherwise) {
  llvm::LLVMContext& context = builder.getContext();
  llvm::Function* function = builder.GetInsertBlock()->getParent();
  llvm::BasicBlock* then_block = llvm::BasicBlock::Create(context, "then", function);
  llvm::BasicBlock* else_block = llvm::BasicBlock::Create(context, "else", function);
  llvm::BasicBlock* after = llvm::BasicBlock::Create(context, "endif", function);
  builder.CreateCondBr(condition, then_block, else_block);
  builder.SetInsertPoint(then_block);
  then();
  builder.CreateBr(after);
  builder.SetInsertPoint(else_block);
  otherwise();
  builder.CreateBr(after);
  builder.SetInsertPoint(after);
}

void emit_switch(llvm::IRBuilder<>& builder, llvm::Value* value, int least, int most,
                 llvm::function_ref<void(int)> body) {
  llvm::LLVMContext& context = builder.getContext();
  llvm::Function* function = builder.GetInsertBlock()->getParent();
  llvm::BasicBlock* after = llvm::BasicBlock::Create(context, "endswitch", function);
  std::vector<llvm::BasicBlock*> cases;
  for (int n = least; n <= most; ++n) cases.push_back(llvm::BasicBlock::Create(context, "case", function));
  llvm::SwitchInst* choice = builder.CreateSwitch(value, cases.back(), static_cast<unsigned>(most - least));
  for (int n = least; n <= most; ++n) {
    llvm::BasicBlock* block = cases[static_cast<std::size_t>(n - least)];
    if (n < most) choice->addCase(builder.getInt64(static_cast<std::uint64_t>(n)), block);
    builder.SetInsertPoint(block);
    body(n);
    builder.CreateBr(after);
  }
  builder.SetInsertPoint(after);
}

}  // namespace rnnc::compiler
