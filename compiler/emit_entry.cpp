#include "compiler/emit_entry.hpp"

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/IntrinsicsAArch64.h>
#include <llvm/IR/IntrinsicsX86.h>
#include <llvm/Linker/Linker.h>

#include <cstddef>

#include "compiler/emit_choice.hpp"
#include "compiler/emit_kernel.hpp"
#include "compiler/loops.hpp"
#include "ir/check.hpp"

namespace rnnc::compiler {
namespace {

using runtime::KernelArguments;

constexpr std::uint32_t kFlushDenormals = 0x8040;                         // MXCSR: flush to zero, denormals are zero
constexpr std::uint64_t kFlushDenormalsAArch64 = std::uint64_t{1} << 24;  // FPCR.FZ, of what is read too
constexpr std::uint64_t kAlignment = 64;

// The arguments of `run`, in their order.
struct Call {
  llvm::Value *state, *scratch, *x, *y, *steps, *batch;
  explicit Call(llvm::Function& function)
      : state(function.getArg(0)),
        scratch(function.getArg(1)),
        x(function.getArg(2)),
        y(function.getArg(3)),
        steps(function.getArg(4)),
        batch(function.getArg(5)) {}
};

class EntryEmitter {
 public:
  EntryEmitter(llvm::LLVMContext& context, const std::string& name, std::span<const Level> levels)
      : builder_(context), module_(std::make_unique<llvm::Module>(name, context)), name_(name), levels_(levels) {
    run_type_ = llvm::FunctionType::get(
        builder_.getInt32Ty(),
        {pointer(), pointer(), pointer(), pointer(), builder_.getInt64Ty(), builder_.getInt64Ty()}, false);
  }

  std::unique_ptr<llvm::Module> run() {
    std::vector<llvm::Function*> bodies;
    for (std::size_t i = 0; i < levels_.size(); ++i) bodies.push_back(emit_level(i));
    llvm::Function* entry = begin(run_type_, name_ + "_run", true);
    emit_checks(Call(*entry));
    if (bodies.size() > 1)
      emit_dispatch(*entry, bodies);
    else
      builder_.CreateRet(call(bodies.front(), *entry));
    emit_step(entry);
    return std::move(module_);
  }

 private:
  llvm::Type* pointer() { return builder_.getPtrTy(); }
  llvm::ConstantInt* constant(std::int64_t value) { return builder_.getInt64(static_cast<std::uint64_t>(value)); }
  llvm::ConstantInt* status(EntryStatus value) { return builder_.getInt32(static_cast<std::uint32_t>(value)); }

  llvm::Function* begin(llvm::FunctionType* type, const std::string& name, bool is_public) {
    auto* function = llvm::Function::Create(
        type, is_public ? llvm::Function::ExternalLinkage : llvm::Function::InternalLinkage, name, *module_);
    function->setDoesNotThrow();
    function->addFnAttr("target-cpu", levels_[0].target.arch == Arch::AArch64 ? "generic" : "x86-64");
    builder_.SetInsertPoint(llvm::BasicBlock::Create(builder_.getContext(), "entry", function));
    return function;
  }

  void return_where(llvm::Value* condition, EntryStatus value) {
    llvm::Function* function = builder_.GetInsertBlock()->getParent();
    auto* leave = llvm::BasicBlock::Create(builder_.getContext(), "leave", function);
    auto* go_on = llvm::BasicBlock::Create(builder_.getContext(), "go_on", function);
    builder_.CreateCondBr(condition, leave, go_on);
    builder_.SetInsertPoint(leave);
    builder_.CreateRet(status(value));
    builder_.SetInsertPoint(go_on);
  }

  llvm::Value* call(llvm::Function* body, llvm::Function& entry) {
    std::vector<llvm::Value*> arguments;
    for (llvm::Argument& argument : entry.args()) arguments.push_back(&argument);
    return builder_.CreateCall(body, arguments);
  }

  // Moves the kernel of level `i` into the module under a name of its own.
  llvm::Function* add_kernel(std::size_t i) {
    const Level& level = levels_[i];
    const std::string name = "kernel_" + std::to_string(i);
    auto kernel = emit_kernel(builder_.getContext(), level.lowered.schedule, level.lowered.plan, level.target);
    kernel->getFunction(runtime::kPrepareSymbol)->eraseFromParent();
    kernel->getFunction(runtime::kRunSymbol)->setName(name);
    if (llvm::Linker::linkModules(*module_, std::move(kernel)))
      ir::internal_error(&level.lowered.schedule.cell, "kernels of two levels do not go into one module");
    llvm::Function* function = module_->getFunction(name);
    function->setLinkage(llvm::Function::InternalLinkage);
    function->addFnAttr(llvm::Attribute::NoInline);
    return function;
  }

  llvm::GlobalVariable* add_weights(const Level& level) {
    auto* content = llvm::ConstantDataArray::get(builder_.getContext(), level.weights);
    auto* weights = new llvm::GlobalVariable(*module_, content->getType(), true, llvm::GlobalVariable::InternalLinkage,
                                             content, "weights");
    weights->setAlignment(llvm::Align(kAlignment));
    return weights;
  }

  void emit_checks(const Call& call) {
    llvm::Value* sizes = builder_.CreateOr(call.steps, call.batch);
    return_where(builder_.CreateICmpSLT(sizes, constant(0)), EntryStatus::BadSize);
    llvm::Value* addresses = builder_.CreateOr(builder_.CreatePtrToInt(call.state, builder_.getInt64Ty()),
                                               builder_.CreatePtrToInt(call.scratch, builder_.getInt64Ty()));
    llvm::Value* low = builder_.CreateAnd(addresses, builder_.getInt64(kAlignment - 1));
    return_where(builder_.CreateICmpNE(low, constant(0)), EntryStatus::Misaligned);
    llvm::Value* nothing = builder_.CreateOr(builder_.CreateICmpEQ(call.steps, constant(0)),
                                             builder_.CreateICmpEQ(call.batch, constant(0)));
    return_where(nothing, EntryStatus::Ok);
  }

  llvm::Value* floats(llvm::Value* base, llvm::Value* count) {
    return builder_.CreateGEP(builder_.getFloatTy(), base, count);
  }

  llvm::Value* smaller(llvm::Value* a, llvm::Value* b) {
    return builder_.CreateSelect(builder_.CreateICmpSLT(a, b), a, b);
  }

  llvm::Value* chunk_steps(const runtime::Description& description, const Call& call) {
    llvm::Value* whole = builder_.CreateSDiv(constant(description.chunk_rows), call.batch);
    llvm::Value* one_or_more = builder_.CreateSelect(builder_.CreateICmpSLT(whole, constant(1)), constant(1), whole);
    return smaller(one_or_more, call.steps);
  }

  // State: rows of double-buffered states, then of the others. Scratch: the second buffer, values of a step, of a chunk.
  llvm::Value* fill_arguments(const Level& level, const Call& call, llvm::Value* next, llvm::Value* weights) {
    const runtime::Description& d = level.description;
    llvm::Value* doubled = builder_.CreateMul(call.batch, constant(d.doubled_row));
    llvm::Value* step = floats(next, doubled);
    const std::pair<std::size_t, llvm::Value*> fields[] = {
        {offsetof(KernelArguments, x), call.x},
        {offsetof(KernelArguments, y), call.y},
        {offsetof(KernelArguments, current), call.state},
        {offsetof(KernelArguments, next), next},
        {offsetof(KernelArguments, in_place), floats(call.state, doubled)},
        {offsetof(KernelArguments, sequence), floats(step, builder_.CreateMul(call.batch, constant(d.step_row)))},
        {offsetof(KernelArguments, step), step},
        {offsetof(KernelArguments, weights), weights},
        {offsetof(KernelArguments, x_step), builder_.CreateMul(call.batch, constant(d.input_size))},
        {offsetof(KernelArguments, y_step), builder_.CreateMul(call.batch, constant(d.output_size))},
        {offsetof(KernelArguments, steps), call.steps},
        {offsetof(KernelArguments, batch), call.batch},
        {offsetof(KernelArguments, chunk_steps), chunk_steps(d, call)},
        {offsetof(KernelArguments, x_row), constant(d.input_size)},
        {offsetof(KernelArguments, y_row), constant(d.output_size)},
    };
    // What follows is for several threads, which this code is not made for.
    static_assert(offsetof(KernelArguments, flags) == std::size(fields) * 8, "a field is not filled in");
    auto* type = llvm::ArrayType::get(builder_.getInt64Ty(), sizeof(KernelArguments) / 8);
    llvm::Value* arguments = builder_.CreateAlloca(type);
    for (const auto& [offset, value] : fields)
      builder_.CreateStore(value, builder_.CreateConstGEP1_64(builder_.getInt8Ty(), arguments, offset));
    return arguments;
  }

  // Runs `work` with denormals flushed, and gives the caller's mode back.
  template <class Work>
  void flushing_denormals(Arch arch, const Work& work) {
    switch (arch) {
      case Arch::X86_64: return flushing_denormals_x86(work);
      case Arch::AArch64: return flushing_denormals_aarch64(work);
    }
  }

  template <class Work>
  void flushing_denormals_x86(const Work& work) {
    llvm::Value* before = builder_.CreateAlloca(builder_.getInt32Ty());
    llvm::Value* inside = builder_.CreateAlloca(builder_.getInt32Ty());
    builder_.CreateIntrinsic(llvm::Intrinsic::x86_sse_stmxcsr, {}, {before});
    llvm::Value* mode = builder_.CreateLoad(builder_.getInt32Ty(), before);
    llvm::Value* flushed = builder_.CreateOr(mode, kFlushDenormals);
    llvm::Value* differs = builder_.CreateICmpNE(mode, flushed);
    builder_.CreateStore(flushed, inside);
    const auto set = [&](llvm::Value* from) {
      emit_if(builder_, differs, [&] { builder_.CreateIntrinsic(llvm::Intrinsic::x86_sse_ldmxcsr, {}, {from}); });
    };
    set(inside);
    work();
    set(before);
  }

  template <class Work>
  void flushing_denormals_aarch64(const Work& work) {
    llvm::Value* mode = builder_.CreateIntrinsic(llvm::Intrinsic::aarch64_get_fpcr, {}, {});
    llvm::Value* flushed = builder_.CreateOr(mode, kFlushDenormalsAArch64);
    llvm::Value* differs = builder_.CreateICmpNE(mode, flushed);
    const auto set = [&](llvm::Value* to) {
      emit_if(builder_, differs, [&] { builder_.CreateIntrinsic(llvm::Intrinsic::aarch64_set_fpcr, {}, {to}); });
    };
    set(flushed);
    work();
    set(mode);
  }

  // After an odd number of steps the new values are in the second buffer: they go back where the caller keeps them.
  llvm::Function* emit_level(std::size_t i) {
    const Level& level = levels_[i];
    llvm::Function* kernel = add_kernel(i);
    llvm::Value* weights = add_weights(level);
    llvm::Function* function = begin(run_type_, "level_" + std::to_string(i), false);
    const Call call(*function);
    llvm::Value* arguments = fill_arguments(level, call, call.scratch, weights);
    flushing_denormals(level.target.arch, [&] { builder_.CreateCall(kernel, {arguments}); });
    if (level.description.doubled_row > 0) {
      llvm::Value* odd = builder_.CreateTrunc(call.steps, builder_.getInt1Ty());
      emit_if(builder_, odd, [&] {
        llvm::Value* bytes = builder_.CreateMul(call.batch, constant(level.description.doubled_row * 4));
        builder_.CreateMemCpy(call.state, llvm::Align(kAlignment), call.scratch, llvm::Align(kAlignment), bytes);
      });
    }
    builder_.CreateRet(status(EntryStatus::Ok));
    return function;
  }

  // The choice is made at the first call and kept: threads that make it at the same time make the same.
  void emit_dispatch(llvm::Function& entry, const std::vector<llvm::Function*>& bodies) {
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

  void emit_step(llvm::Function* run) {
    auto* type = llvm::FunctionType::get(builder_.getInt32Ty(),
                                         {pointer(), pointer(), pointer(), pointer(), builder_.getInt64Ty()}, false);
    llvm::Function* step = begin(type, name_ + "_step", true);
    builder_.CreateRet(builder_.CreateCall(
        run, {step->getArg(0), step->getArg(1), step->getArg(2), step->getArg(3), constant(1), step->getArg(4)}));
  }

  llvm::IRBuilder<> builder_;
  std::unique_ptr<llvm::Module> module_;
  std::string name_;
  std::span<const Level> levels_;
  llvm::FunctionType* run_type_;
};

}  // namespace

std::unique_ptr<llvm::Module> emit_entries(llvm::LLVMContext& context, const std::string& name,
                                           std::span<const Level> levels) {
  return EntryEmitter(context, name, levels).run();
}

}  // namespace rnnc::compiler
