#include "compiler/llvm/stage_functions.hpp"

#include <llvm/IR/Module.h>

#include <string>

namespace rnnc::compiler {
namespace {

// The loops of a stage take LLVM about as long as so many instructions, and so do the tiles of many rows. A function
// then has 16 stages with products at the most, whose accumulators take 256 KiB of the stack (kParkedBytes).
constexpr std::int64_t kWorkOfLoops = 256, kWorkOfTiles = 256;
constexpr std::int64_t kMostStages = 4;  // of the most work that a stage may have

std::int64_t work_of(const Stage& stage) {
  return stage.work + kWorkOfLoops + (stage.products.empty() ? 0 : kWorkOfTiles);
}

// Lists the values that a function of stages takes from its caller. A value that is not there, and a constant, is none.
std::vector<llvm::Value**> passed(StageValues& values) {
  std::vector<llvm::Value**> all = {&values.count, &values.turned, &values.part.index, &values.part.count};
  for (Rows& rows : values.spaces) all.insert(all.end(), {&rows.base, &rows.stride});
  if (values.meeting) {
    for (llvm::Value** value : values.meeting->values()) all.push_back(value);
  }
  std::erase_if(all, [](llvm::Value** value) { return !*value || llvm::isa<llvm::Constant>(*value); });
  return all;
}

llvm::Value* slot(llvm::IRBuilder<>& builder, llvm::Value* frame, std::size_t i) {
  return builder.CreateConstGEP1_64(builder.getInt64Ty(), frame, i);
}

}  // namespace

StageValues taken_from(llvm::IRBuilder<>& builder, llvm::Value* frame, StageValues values) {
  const std::vector<llvm::Value**> all = passed(values);
  for (std::size_t i = 0; i < all.size(); ++i)
    *all[i] = builder.CreateLoad((*all[i])->getType(), slot(builder, frame, i));
  values.frame = frame;
  return values;
}

std::vector<std::vector<std::size_t>> function_groups(const Schedule& schedule, Phase phase) {
  std::vector<std::vector<std::size_t>> groups;
  const std::int64_t most = kMostStages * schedule.most_work;
  std::int64_t work = 0;
  for (std::size_t i = 0; i < schedule.stages.size(); ++i) {
    const Stage& stage = schedule.stages[i];
    if (stage.phase != phase) continue;
    if (groups.empty() || work + work_of(stage) > most) {
      groups.emplace_back();
      work = 0;
    }
    groups.back().push_back(i);
    work += work_of(stage);
  }
  return groups;
}

void emit_functions(llvm::IRBuilder<>& builder, const std::vector<std::vector<std::size_t>>& groups,
                    const StageValues& values,
                    const std::function<void(const std::vector<std::size_t>&, StageValues&)>& body) {
  llvm::Function& caller = *builder.GetInsertBlock()->getParent();
  llvm::Module& module = *caller.getParent();
  llvm::BasicBlock& entry = caller.getEntryBlock();
  StageValues own = values;
  const std::vector<llvm::Value**> arguments = passed(own);
  llvm::Value* frame = llvm::IRBuilder<>(&entry, entry.begin())
                           .CreateAlloca(llvm::ArrayType::get(builder.getInt64Ty(), arguments.size()));
  for (std::size_t i = 0; i < arguments.size(); ++i) builder.CreateStore(*arguments[i], slot(builder, frame, i));
  auto* type = llvm::FunctionType::get(builder.getVoidTy(), {builder.getPtrTy()}, false);
  for (const std::vector<std::size_t>& group : groups) {
    const std::string name = "stages_" + std::to_string(group.front()) + "_" + std::to_string(group.back());
    auto* function = llvm::Function::Create(type, llvm::Function::InternalLinkage, name, module);
    function->setAttributes(caller.getAttributes());
    builder.CreateCall(function, {frame});
    const llvm::IRBuilderBase::InsertPointGuard guard(builder);
    builder.SetInsertPoint(llvm::BasicBlock::Create(builder.getContext(), "entry", function));
    StageValues inside = taken_from(builder, function->getArg(0), values);
    body(group, inside);
    builder.CreateRetVoid();
  }
}

}  // namespace rnnc::compiler
