#include "compiler/object/module.hpp"
#include "compiler/llvm/resolve_target.hpp"

#include <llvm/Linker/Linker.h>

#include <cstddef>

#include "compiler/llvm/emit_kernel.hpp"
#include "compiler/llvm/loops.hpp"
#include "compiler/llvm/types.hpp"
#include "compiler/object/emit_choice.hpp"
#include "compiler/object/memory.hpp"
#include "ir/check.hpp"

namespace rnnc::compiler {
namespace {

using runtime::KernelArguments;

}  // namespace

ObjectModule::ObjectModule(llvm::LLVMContext& context, const std::string& name, std::span<const Level> levels)
    : builder_(context), module_(std::make_unique<llvm::Module>(name, context)), name_(name), levels_(levels) {}

llvm::Value* ObjectModule::floats(llvm::Value* base, llvm::Value* count) { return advance(builder_, base, count); }

llvm::FunctionType* ObjectModule::run_type(std::size_t more_pointers) {
  std::vector<llvm::Type*> types(4, builder_.getPtrTy());
  types.insert(types.end(), 2, builder_.getInt64Ty());
  types.insert(types.end(), more_pointers, builder_.getPtrTy());
  return llvm::FunctionType::get(builder_.getInt32Ty(), types, false);
}

llvm::Function* ObjectModule::begin(llvm::FunctionType* type, const std::string& name, bool is_public) {
  auto* function = llvm::Function::Create(
      type, is_public ? llvm::Function::ExternalLinkage : llvm::Function::InternalLinkage, name, *module_);
  function->setDoesNotThrow();
  const Target common = baseline(levels_[0].target.arch);
  function->addFnAttr("target-cpu", llvm_cpu(common));
  if (const std::string features = llvm_features(common); !features.empty())
    function->addFnAttr("target-features", features);
  builder_.SetInsertPoint(llvm::BasicBlock::Create(builder_.getContext(), "entry", function));
  return function;
}

// The kernel is a module of its own at first, which the linker moves into this one.
llvm::Function* ObjectModule::add_kernel(std::size_t level, std::size_t kind) {
  const Lowered& lowered = levels_[level].kinds[kind].lowered;
  std::string name = "kernel_" + std::to_string(level);
  if (levels_[level].kinds.size() > 1) name += "_" + std::to_string(kind);
  auto kernel = emit_kernel(builder_.getContext(), lowered.schedule, lowered.plan, levels_[level].target);
  kernel->getFunction(runtime::kPrepareSymbol)->eraseFromParent();
  kernel->getFunction(runtime::kRunSymbol)->setName(name);
  if (llvm::Linker::linkModules(*module_, std::move(kernel)))
    ir::internal_error(&lowered.schedule.cell, "two kernels do not go into one module");
  llvm::Function* function = module_->getFunction(name);
  function->setLinkage(llvm::Function::InternalLinkage);
  function->addFnAttr(llvm::Attribute::NoInline);
  return function;
}

llvm::GlobalVariable* ObjectModule::add_floats(std::span<const float> values, const std::string& name) {
  auto* content = llvm::ConstantDataArray::get(builder_.getContext(), llvm::ArrayRef(values.data(), values.size()));
  auto* global = new llvm::GlobalVariable(*module_, content->getType(), true, llvm::GlobalVariable::InternalLinkage,
                                          content, name);
  global->setAlignment(kCacheLine);
  return global;
}

llvm::Value* ObjectModule::arguments_slot() {
  return stack_slot(builder_, llvm::ArrayType::get(builder_.getInt64Ty(), sizeof(KernelArguments) / 8));
}

void ObjectModule::store_arguments(llvm::Value* arguments, const KernelFields& fields) {
  const std::pair<std::size_t, llvm::Value*> places[] = {
      {offsetof(KernelArguments, x), fields.x},
      {offsetof(KernelArguments, y), fields.y},
      {offsetof(KernelArguments, current), fields.current},
      {offsetof(KernelArguments, next), fields.next},
      {offsetof(KernelArguments, in_place), fields.in_place},
      {offsetof(KernelArguments, sequence), fields.sequence},
      {offsetof(KernelArguments, step), fields.step},
      {offsetof(KernelArguments, weights), fields.weights},
      {offsetof(KernelArguments, x_step), fields.x_step},
      {offsetof(KernelArguments, y_step), fields.y_step},
      {offsetof(KernelArguments, steps), fields.steps},
      {offsetof(KernelArguments, batch), fields.batch},
      {offsetof(KernelArguments, chunk_steps), fields.chunk_steps},
      {offsetof(KernelArguments, x_row), fields.x_row},
      {offsetof(KernelArguments, y_row), fields.y_row},
  };
  // The fields that follow are for several threads; this code runs on one.
  static_assert(offsetof(KernelArguments, flags) == std::size(places) * 8, "a field is not filled in");
  static_assert(sizeof(KernelFields) == std::size(places) * sizeof(llvm::Value*), "a field is not stored");
  for (const auto& [offset, value] : places)
    builder_.CreateStore(value, builder_.CreateConstGEP1_64(builder_.getInt8Ty(), arguments, offset));
}

llvm::Value* ObjectModule::chunk_steps(const runtime::Description& description, llvm::Value* steps,
                                       llvm::Value* batch) {
  llvm::Value* whole = builder_.CreateSDiv(constant(description.chunk_rows), batch);
  llvm::Value* one_or_more = builder_.CreateSelect(builder_.CreateICmpSLT(whole, constant(1)), constant(1), whole);
  return builder_.CreateSelect(builder_.CreateICmpSLT(one_or_more, steps), one_or_more, steps);
}

void ObjectModule::return_where(llvm::Value* condition, EntryStatus value) {
  llvm::Function* function = builder_.GetInsertBlock()->getParent();
  auto* leave = llvm::BasicBlock::Create(builder_.getContext(), "leave", function);
  auto* go_on = llvm::BasicBlock::Create(builder_.getContext(), "go_on", function);
  builder_.CreateCondBr(condition, leave, go_on);
  builder_.SetInsertPoint(leave);
  builder_.CreateRet(status(value));
  builder_.SetInsertPoint(go_on);
}

void ObjectModule::return_where_too_large(llvm::ArrayRef<llvm::Value*> steps, llvm::Value* batch,
                                          std::int64_t most_rows) {
  llvm::Value *signs = batch, *most = constant(1);
  for (llvm::Value* each : steps) {
    signs = builder_.CreateOr(signs, each);
    most = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, most, each);
  }
  const ArchFacts& arch = facts(levels_[0].target.arch);
  llvm::Value* beyond = arch.index_bytes > arch.pointer_bytes ? narrow_product_beyond(most, batch, most_rows)
                                                              : product_beyond(most, batch, most_rows);
  llvm::Value* negative = builder_.CreateICmpSLT(signs, constant(0));
  return_where(builder_.CreateOr(negative, beyond), EntryStatus::BadSize);
}

llvm::Value* ObjectModule::product_beyond(llvm::Value* a, llvm::Value* b, std::int64_t limit) {
  llvm::Value* product = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smul_with_overflow, a, b);
  llvm::Value* overflows = builder_.CreateExtractValue(product, 1);
  llvm::Value* beyond = builder_.CreateICmpSGT(builder_.CreateExtractValue(product, 0), constant(limit));
  return builder_.CreateOr(overflows, beyond);
}

// A product of 128 bits is a call of a library in WebAssembly. There a factor that is larger
// than the limit is too large by itself, since neither is negative; smaller ones have a product of 64 bits.
llvm::Value* ObjectModule::narrow_product_beyond(llvm::Value* a, llvm::Value* b, std::int64_t limit) {
  RNNC_ASSERT(limit <= most_floats(4), nullptr);
  llvm::Value* large = builder_.CreateOr(builder_.CreateICmpSGT(a, constant(most_floats(4))),
                                         builder_.CreateICmpSGT(b, constant(most_floats(4))));
  return builder_.CreateOr(large, builder_.CreateICmpSGT(builder_.CreateMul(a, b), constant(limit)));
}

void ObjectModule::return_where_misaligned(llvm::Value* state, llvm::Value* scratch) {
  llvm::Value* addresses = builder_.CreateOr(builder_.CreatePtrToInt(state, builder_.getInt64Ty()),
                                             builder_.CreatePtrToInt(scratch, builder_.getInt64Ty()));
  llvm::Value* low = builder_.CreateAnd(addresses, builder_.getInt64(runtime::kCacheLineBytes - 1));
  return_where(builder_.CreateICmpNE(low, constant(0)), EntryStatus::Misaligned);
}

void ObjectModule::copy_back(const runtime::Description& description, llvm::Value* steps, llvm::Value* batch,
                             llvm::Value* current, llvm::Value* next) {
  if (description.doubled_row == 0) return;
  llvm::Value* odd = builder_.CreateTrunc(steps, builder_.getInt1Ty());
  emit_if(builder_, odd, [&] {
    llvm::Value* bytes =
        builder_.CreateMul(batch, constant(runtime::bytes_of(runtime::kRowFormat, description.doubled_row)));
    builder_.CreateMemCpy(current, kCacheLine, next, kCacheLine, bytes);
  });
}

llvm::Value* ObjectModule::call(llvm::Function* body, llvm::Function& entry) {
  std::vector<llvm::Value*> arguments;
  for (llvm::Argument& argument : entry.args()) arguments.push_back(&argument);
  return builder_.CreateCall(body, arguments);
}

// A single level is a choice too: without it, an older machine would end the process at the first instruction it lacks.
// The choice is made at the first call and kept. Threads that choose at the same time choose the same.
void ObjectModule::emit_dispatch(llvm::Function& entry, const std::vector<llvm::Function*>& bodies) {
  const bool runs_everywhere = bodies.size() == 1 && required_features(levels_.front().target) == 0;
  if (runs_everywhere || !facts(levels_.front().target.arch).has_choice) {
    builder_.CreateRet(call(bodies.front(), entry));
    return;
  }
  llvm::Type* i32 = builder_.getInt32Ty();
  auto* kept = new llvm::GlobalVariable(*module_, i32, false, llvm::GlobalVariable::InternalLinkage,
                                        builder_.getInt32(0), "level");
  const auto load = [&] {
    llvm::LoadInst* loaded = builder_.CreateAlignedLoad(i32, kept, llvm::Align(4));
    loaded->setAtomic(llvm::AtomicOrdering::Monotonic);
    return loaded;
  };
  emit_if(builder_, builder_.CreateICmpEQ(load(), builder_.getInt32(0)), [&] {
    std::vector<runtime::CpuFeatures> needs;
    for (const Level& level : levels_) needs.push_back(required_features(level.target));
    builder_.CreateAlignedStore(emit_choice(builder_, needs), kept, llvm::Align(4))
        ->setAtomic(llvm::AtomicOrdering::Monotonic);
  });
  auto* none = llvm::BasicBlock::Create(builder_.getContext(), "none", &entry);
  auto* choice = builder_.CreateSwitch(load(), none);
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    auto* block = llvm::BasicBlock::Create(builder_.getContext(), "level", &entry);
    choice->addCase(builder_.getInt32(static_cast<std::uint32_t>(i + 1)), block);
    builder_.SetInsertPoint(block);
    builder_.CreateRet(call(bodies[i], entry));
  }
  builder_.SetInsertPoint(none);
  builder_.CreateRet(status(EntryStatus::NoLevel));
}

void ObjectModule::emit_step(llvm::Function* run) {
  constexpr std::ptrdiff_t kSteps = 4;  // the index of the argument that `step` lacks
  std::vector<llvm::Type*> types = run->getFunctionType()->params().vec();
  types.erase(types.begin() + kSteps);
  llvm::Function* step = begin(llvm::FunctionType::get(builder_.getInt32Ty(), types, false), name_ + "_step", true);
  std::vector<llvm::Value*> arguments;
  for (llvm::Argument& argument : step->args()) arguments.push_back(&argument);
  arguments.insert(arguments.begin() + kSteps, constant(1));
  builder_.CreateRet(builder_.CreateCall(run, arguments));
}

}  // namespace rnnc::compiler
