#include "compiler/llvm/emit_kernel.hpp"

#include <cstddef>
#include <optional>
#include <string>

#include "compiler/llvm/emit_stage.hpp"
#include "compiler/llvm/loops.hpp"
#include "compiler/llvm/meeting.hpp"
#include "compiler/llvm/shared_code.hpp"
#include "compiler/llvm/stage_functions.hpp"
#include "compiler/llvm/types.hpp"
#include "runtime/artifact.hpp"

namespace rnnc::compiler {
namespace {

using runtime::KernelArguments;

// Programs of integers have the same bits on every CPU, with or without fused multiply-adds: they use none.
Target arithmetic_of(Target target, const Plan& plan) {
  target.fma = target.fma && !runtime::is_integer(plan.weights);
  return target;
}

class KernelEmitter {
 public:
  KernelEmitter(llvm::LLVMContext& context, const Schedule& schedule, const Plan& plan, const Target& target)
      : schedule_(schedule),
        plan_(plan),
        target_(arithmetic_of(target, plan)),
        builder_(context),
        module_(std::make_unique<llvm::Module>("rnnc." + schedule.cell.name, context)),
        attributes_(function_attributes(context, target)),
        kernels_(*module_, target_, attributes_) {}

  std::unique_ptr<llvm::Module> run(KernelParts parts) {
    emit_prepare();
    switch (parts) {
      case KernelParts::All: emit_run(); break;
      case KernelParts::Preparation:
        begin_function(runtime::kRunSymbol);
        builder_.CreateRetVoid();
        break;
    }
    return std::move(module_);
  }

 private:
  llvm::Function* begin_function(const char* name) {
    llvm::LLVMContext& context = builder_.getContext();
    auto* type = llvm::FunctionType::get(builder_.getVoidTy(), {builder_.getPtrTy()}, false);
    auto* function = llvm::Function::Create(type, llvm::Function::ExternalLinkage, name, *module_);
    function->setAttributes(attributes_);
    builder_.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", function));
    return function;
  }

  llvm::ConstantInt* constant(std::int64_t value) { return builder_.getInt64(static_cast<std::uint64_t>(value)); }

  Rows& rows(Space space) { return spaces_[static_cast<int>(space)]; }

  void emit_prepare() {
    llvm::Function* function = begin_function(runtime::kPrepareSymbol);
    rows(Space::Weights) = {function->getArg(0), constant(0)};
    emit_stages(Phase::Once, constant(1));
    builder_.CreateRetVoid();
  }

  void emit_stages(Phase phase, llvm::Value* count, llvm::Value* turned = nullptr) {
    const StageValues values{spaces_, part_, meeting_, count, turned};
    std::optional<SharedCode> shared;
    const auto context_of = [&](const StageValues& own) {
      return StageContext{
          schedule_, plan_, target_, own.spaces, kernels_, own.part, own.turned, nullptr, shared ? &*shared : nullptr,
          own.frame};
    };
    const auto emit = [&](const std::vector<std::size_t>& stages, StageValues own) {
      for (const std::size_t i : stages) {
        emit_stage(builder_, context_of(own), i, own.count);
        if (own.meeting) own.meeting->emit(builder_);
      }
    };
    const auto groups = function_groups(schedule_, phase);
    // Threads share the units of a stage, which parts of it would not be enough for.
    if (groups.size() > 1 && !meeting_) shared.emplace(builder_, context_of(values), phase, values, attributes_);
    if (groups.size() == 1) emit(groups.front(), values);
    if (groups.size() > 1) emit_functions(builder_, groups, values, emit);
  }

  bool has_stages(Phase phase) const {
    for (const Stage& stage : schedule_.stages)
      if (stage.phase == phase) return true;
    return false;
  }

  llvm::Value* field(llvm::Value* arguments, std::size_t offset, llvm::Type* type) {
    return builder_.CreateLoad(type, builder_.CreateConstGEP1_64(builder_.getInt8Ty(), arguments, offset));
  }

  llvm::Value* floats(llvm::Value* pointer, llvm::Value* offset) { return advance(builder_, pointer, offset); }

  void load_arguments(llvm::Value* arguments) {
    const auto pointer = [&](std::size_t offset) { return field(arguments, offset, builder_.getPtrTy()); };
    const auto integer = [&](std::size_t offset) { return field(arguments, offset, builder_.getInt64Ty()); };
    x_ = pointer(offsetof(KernelArguments, x));
    y_ = pointer(offsetof(KernelArguments, y));
    current_ = pointer(offsetof(KernelArguments, current));
    next_ = pointer(offsetof(KernelArguments, next));
    sequence_ = pointer(offsetof(KernelArguments, sequence));
    rows(Space::InPlace) = {pointer(offsetof(KernelArguments, in_place)), constant(row_size(Space::InPlace))};
    rows(Space::Step) = {pointer(offsetof(KernelArguments, step)), constant(row_size(Space::Step))};
    rows(Space::Weights) = {pointer(offsetof(KernelArguments, weights)), constant(0)};
    x_step_ = integer(offsetof(KernelArguments, x_step));
    y_step_ = integer(offsetof(KernelArguments, y_step));
    x_row_ = integer(offsetof(KernelArguments, x_row));
    y_row_ = integer(offsetof(KernelArguments, y_row));
    steps_ = integer(offsetof(KernelArguments, steps));
    batch_ = integer(offsetof(KernelArguments, batch));
    chunk_steps_ = integer(offsetof(KernelArguments, chunk_steps));
  }

  std::int64_t row_size(Space space) const { return schedule_.row_size(space); }

  // The code takes one chunk of time after another. It first computes what needs no state, for all rows of the chunk at
  // once, and then goes through the chunk step by step.
  void emit_run() {
    llvm::Function* function = begin_function(runtime::kRunSymbol);
    load_arguments(function->getArg(0));
    if (plan_.threads > 1) {
      meeting_.emplace(builder_, *module_, target_.arch, function->getArg(0), attributes_);
      part_ = meeting_->part();
    }
    if (target_.is_small) {
      emit_row_by_row();
      return static_cast<void>(builder_.CreateRetVoid());
    }
    find_order();
    emit_for(
        builder_, constant(0), steps_, chunk_steps_, {current_, next_},
        [&](llvm::Value* first, Values buffers) {
          llvm::Value* left = builder_.CreateSub(steps_, first);
          llvm::Value* count = builder_.CreateSelect(builder_.CreateICmpSLT(left, chunk_steps_), left, chunk_steps_);
          if (has_stages(Phase::Sequence)) emit_sequence_phase(first, count);
          return emit_for(
              builder_, constant(0), count, 1, std::move(buffers),
              [&](llvm::Value* step, Values now) {
                emit_step_phase(builder_.CreateAdd(first, step), hoisted_step(step, count), now);
                return Values{now[1], now[0]};
              },
              "time");
        },
        "chunk");
    builder_.CreateRetVoid();
  }

  // A small machine computes nothing ahead of the steps, and reads no weights for several rows at once. So a row goes
  // through all stages of a step before the next row does.
  void emit_row_by_row() {
    emit_for(
        builder_, constant(0), steps_, 1, {current_, next_},
        [&](llvm::Value* step, Values now) {
          find_rows(step, now);
          const RowSpaces all = spaces_;
          emit_for(
              builder_, constant(0), batch_, 1,
              [&](llvm::Value* row) {
                for (Rows& one : spaces_)
                  if (one.base) one = {floats(one.base, builder_.CreateMul(row, one.stride)), constant(0)};
                emit_stages(Phase::Step, constant(1), builder_.CreateTrunc(step, builder_.getInt1Ty()));
                spaces_ = all;
              },
              "sequences");
          return Values{now[1], now[0]};
        },
        "time");
  }

  // The rows of a chunk are one run of rows where x is dense or the batch is 1; else each step is a run. Where time
  // goes backwards over dense rows, the run begins with the chunk's last step, which comes first in memory.
  void find_order() {
    llvm::Value* step = builder_.CreateMul(batch_, x_row_);
    backwards_ = builder_.CreateICmpEQ(x_step_, builder_.CreateNeg(step));
    single_ = builder_.CreateICmpEQ(batch_, constant(1));
    one_run_ = builder_.CreateOr(builder_.CreateOr(builder_.CreateICmpEQ(x_step_, step), backwards_), single_);
  }

  llvm::Value* hoisted_step(llvm::Value* step, llvm::Value* count) {
    llvm::Value* mirrored = builder_.CreateSub(builder_.CreateSub(count, constant(1)), step);
    return builder_.CreateSelect(backwards_, mirrored, step);
  }

  void emit_sequence_phase(llvm::Value* first, llvm::Value* count) {
    llvm::Value* runs = builder_.CreateSelect(one_run_, constant(1), count);
    llvm::Value* run_rows = builder_.CreateSelect(one_run_, builder_.CreateMul(count, batch_), batch_);
    llvm::Value* forwards_single = builder_.CreateAnd(single_, builder_.CreateNot(backwards_));
    llvm::Value* x_stride = builder_.CreateSelect(forwards_single, x_step_, x_row_);
    emit_for(
        builder_, constant(0), runs, 1,
        [&](llvm::Value* run) {
          llvm::Value* step = builder_.CreateAdd(first, hoisted_step(run, count));
          rows(Space::Input) = {floats(x_, builder_.CreateMul(step, x_step_)), x_stride};
          rows(Space::Sequence) = sequence_rows(run);
          emit_stages(Phase::Sequence, run_rows);
        },
        "runs");
  }

  Rows sequence_rows(llvm::Value* step) {
    llvm::Value* row = constant(row_size(Space::Sequence));
    return {floats(sequence_, builder_.CreateMul(builder_.CreateMul(step, batch_), row)), row};
  }

  void find_rows(llvm::Value* step, const Values& buffers) {
    rows(Space::Input) = {floats(x_, builder_.CreateMul(step, x_step_)), x_row_};
    rows(Space::Output) = {floats(y_, builder_.CreateMul(step, y_step_)), y_row_};
    rows(Space::Current) = {buffers[0], constant(row_size(Space::Current))};
    rows(Space::Next) = {buffers[1], constant(row_size(Space::Next))};
  }

  void emit_step_phase(llvm::Value* step, llvm::Value* step_of_chunk, const Values& buffers) {
    find_rows(step, buffers);
    rows(Space::Sequence) = sequence_rows(step_of_chunk);
    emit_stages(Phase::Step, batch_, builder_.CreateTrunc(step_of_chunk, builder_.getInt1Ty()));
  }

  const Schedule& schedule_;
  const Plan& plan_;
  const Target target_;
  llvm::IRBuilder<> builder_;
  std::unique_ptr<llvm::Module> module_;
  llvm::AttributeList attributes_;
  TileKernels kernels_;
  std::optional<Meeting> meeting_;  // only where threads share the stages
  Part part_;
  RowSpaces spaces_;
  llvm::Value *x_ = nullptr, *y_ = nullptr, *current_ = nullptr, *next_ = nullptr, *sequence_ = nullptr;
  llvm::Value *x_step_ = nullptr, *y_step_ = nullptr, *x_row_ = nullptr, *y_row_ = nullptr;
  llvm::Value *single_ = nullptr, *backwards_ = nullptr, *one_run_ = nullptr;  // the order of steps in memory, i1
  llvm::Value *steps_ = nullptr, *batch_ = nullptr, *chunk_steps_ = nullptr;
};

}  // namespace

llvm::AttributeList function_attributes(llvm::LLVMContext& context, const Target& target) {
  llvm::AttrBuilder builder(context);
  builder.addAttribute(llvm::Attribute::NoUnwind);
  builder.addAttribute("target-cpu", llvm_cpu(target));
  if (const std::string features = llvm_features(target); !features.empty())
    builder.addAttribute("target-features", features);
  // Constants are then loaded from behind the code with one instruction instead of made with two.
  if (target.arch == Arch::Thumb81m) {
    builder.addAttribute(llvm::Attribute::OptimizeForSize);
    builder.addAttribute(llvm::Attribute::MinSize);
  }
  // Some CPU models ask for narrower vectors than the plan chose; the plan decides.
  const std::string bits = std::to_string(8 * runtime::bytes_of(runtime::kRowFormat, target.lanes));
  builder.addAttribute("prefer-vector-width", bits);
  builder.addAttribute("min-legal-vector-width", bits);
  return llvm::AttributeList::get(context, llvm::AttributeList::FunctionIndex, builder);
}

std::unique_ptr<llvm::Module> emit_kernel(llvm::LLVMContext& context, const Schedule& schedule, const Plan& plan,
                                          const Target& target, KernelParts parts) {
  return KernelEmitter(context, schedule, plan, target).run(parts);
}

}  // namespace rnnc::compiler
