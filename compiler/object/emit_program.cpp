#include "compiler/object/emit_program.hpp"

#include <algorithm>

#include "compiler/llvm/emit_kernel.hpp"
#include "compiler/llvm/loops.hpp"
#include "compiler/llvm/types.hpp"
#include "compiler/object/emit_rows.hpp"
#include "compiler/object/float_mode.hpp"
#include "ir/graph.hpp"

namespace rnnc::compiler {
namespace {

using runtime::AnyStep;
using runtime::Block;
using runtime::Description;
using runtime::kNoTime;
using runtime::Piece;
using runtime::ReduceTime;
using runtime::StateInfo;
using runtime::StepList;

// Holds the arguments of `run`, with the number of steps of each time.
struct Arguments {
  llvm::Value *state, *scratch, *x, *y, *batch;
  llvm::Value* inputs = nullptr;      // those of the program, by number
  llvm::Value* outputs = nullptr;     // those after y, by number
  std::vector<llvm::Value*> steps{};  // by time

  Arguments(ObjectModule& module, llvm::Function& function, const StepList& list)
      : state(function.getArg(0)),
        scratch(function.getArg(1)),
        x(function.getArg(2)),
        y(function.getArg(3)),
        batch(function.getArg(5)) {
    llvm::IRBuilder<>& builder = module.builder();
    unsigned next = 6;
    if (!list.inputs.empty()) inputs = function.getArg(next++);
    std::int64_t other = 0;
    for (const std::string& time : list.times) {
      const auto load = [&]() -> llvm::Value* {
        llvm::Value* place = builder.CreateGEP(builder.getInt64Ty(), function.getArg(next), module.constant(other++));
        return builder.CreateLoad(builder.getInt64Ty(), place);
      };
      steps.push_back(time == ir::kTime ? function.getArg(4) : load());
    }
    if (other > 0) ++next;
    if (list.outputs.size() > 1) outputs = function.getArg(next);
  }
};

std::size_t more_pointers(const StepList& list) {
  return (list.inputs.empty() ? 0 : 1) + (other_times(list).empty() ? 0 : 1) + (list.outputs.size() == 1 ? 0 : 1);
}

// Computes where the states of a cell lie, for `batch` sequences.
struct States {
  llvm::Value *doubled, *in_place;

  States(ObjectModule& module, llvm::Value* state, std::int64_t before, const Description& cell, llvm::Value* batch) {
    llvm::IRBuilder<>& builder = module.builder();
    doubled = module.floats(state, builder.CreateMul(batch, module.constant(before)));
    in_place = module.floats(doubled, builder.CreateMul(batch, module.constant(cell.doubled_row)));
  }

  EmittedRows rows(ObjectModule& module, const Description& cell, int index) const {
    const StateInfo& info = cell.states[static_cast<std::size_t>(index)];
    return {module.floats(info.doubled ? doubled : in_place, module.constant(info.offset)),
            info.doubled ? cell.doubled_row : cell.in_place_row};
  }
};

// ---- one level

class LevelEmitter {
 public:
  LevelEmitter(ObjectModule& module, const ObjectProgram& program, const Level& level, std::size_t number)
      : module_(module),
        builder_(module.builder()),
        list_(program.list),
        memory_(program.memory),
        level_(level),
        number_(number) {}

  llvm::Function* run() {
    for (std::size_t kind = 0; kind < level_.kinds.size(); ++kind)
      kernels_.push_back(module_.add_kernel(number_, kind));
    llvm::Function* function = module_.begin(module_.run_type(more_pointers(list_)), level_name(), false);
    function->setAttributes(function_attributes(builder_.getContext(), level_.target));
    const Arguments arguments(module_, *function, list_);
    arguments_ = &arguments;
    kernel_arguments_ = module_.arguments_slot();
    place_blocks();
    emit_steps();
    if (memory_.in_y < 0) write(list_.outputs[0], arguments.y);
    for (std::size_t i = 1; i < list_.outputs.size(); ++i) {
      llvm::Value* to = load_pointer(arguments.outputs, static_cast<std::int64_t>(i) - 1);
      emit_if(builder_, builder_.CreateIsNotNull(to), [&] { write(list_.outputs[i], to); });
    }
    builder_.CreateRet(module_.status(EntryStatus::Ok));
    return function;
  }

 private:
  std::string level_name() const { return "level_" + std::to_string(number_); }
  llvm::ConstantInt* constant(std::int64_t value) { return module_.constant(value); }
  llvm::Value* times(llvm::Value* count, std::int64_t factor) { return builder_.CreateMul(count, constant(factor)); }
  llvm::Value* smaller(llvm::Value* a, llvm::Value* b) {
    return builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, a, b);
  }

  llvm::Value* batch() const { return arguments_->batch; }
  llvm::Value* steps(int time) const { return arguments_->steps[static_cast<std::size_t>(time)]; }
  llvm::Value* rows(int time) { return time == kNoTime ? batch() : builder_.CreateMul(steps(time), batch()); }
  int time_of(const Piece& piece) const { return list_.block(piece).time; }

  EmittedRows at(const Piece& piece) {
    const EmittedRows& block = blocks_[static_cast<std::size_t>(piece.block)];
    return {module_.floats(block.data, constant(piece.begin)), block.stride};
  }

  void place_blocks() {
    llvm::Value* timed_rows = memory_.has_blocks() ? most_rows() : constant(0);
    llvm::Value* once = module_.floats(arguments_->scratch, times(timed_rows, memory_.timed_columns));
    for (std::size_t i = 0; i < list_.blocks.size(); ++i) {
      const Block& block = list_.blocks[i];
      const auto place = [&]() -> llvm::Value* {
        if (block.kind == Block::Kind::X) return arguments_->x;
        if (block.kind == Block::Kind::Input) return load_pointer(arguments_->inputs, block.input);
        if (static_cast<int>(i) == memory_.in_y) return arguments_->y;
        if (block.time == kNoTime) return module_.floats(once, times(batch(), memory_.columns[i]));
        return module_.floats(arguments_->scratch, times(timed_rows, memory_.columns[i]));
      };
      blocks_.push_back({place(), block.width});
    }
    work_ = arguments_->scratch;
    if (!memory_.has_blocks()) return;
    llvm::Value* used =
        builder_.CreateAdd(times(timed_rows, memory_.timed_columns), times(batch(), memory_.once_columns));
    llvm::Value* lines = builder_.CreateAnd(builder_.CreateAdd(used, constant(kLine - 1)), constant(-kLine));
    work_ = module_.floats(arguments_->scratch, lines);
  }

  // Computes the number of rows of the time that has the most; it is 0 where the program has no time.
  llvm::Value* most_rows() {
    llvm::Value* most = constant(0);
    for (llvm::Value* each : arguments_->steps)
      most = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, most, each);
    return builder_.CreateMul(most, batch());
  }

  llvm::Value* load_pointer(llvm::Value* pointers, std::int64_t index) {
    llvm::Value* place = builder_.CreateGEP(builder_.getPtrTy(), pointers, constant(index));
    return builder_.CreateLoad(builder_.getPtrTy(), place);
  }

  void emit_steps() {
    in_kernel_mode(builder_, level_.target.arch, [&] {
      for (const AnyStep& step : list_.steps) std::visit([this](const auto& each) { emit(each); }, step);
    });
  }

  // Copies the pieces side by side into rows `to`.
  void gather(const std::vector<Piece>& pieces, int time, EmittedRows to) {
    for (const Piece& piece : pieces) {
      if (time_of(piece) == time)
        emit_copy(builder_, at(piece), to, piece.width(), rows(time));
      else
        emit_repeat(builder_, at(piece), to, piece.width(), steps(time), batch());
      to.data = module_.floats(to.data, constant(piece.width()));
    }
  }

  void write(const runtime::Output& output, llvm::Value* to) { gather(output.from, output.time, {to, output.width()}); }

  void emit(const runtime::Gather& step) { gather(step.from, time_of(step.to), at(step.to)); }

  // All sequences have the same length here, so that every timeline has the caller's order.
  void emit(const runtime::Repeat& step) { gather(step.from, kNoTime, at(step.to)); }

  void emit(const runtime::Begin& step) {
    gather(step.from, kNoTime, states_of(step.cell).rows(module_, level_.description(step.cell), step.state));
  }

  void emit(const runtime::Scan& step) {
    const States states = states_of(step.cell);
    llvm::Value* count = steps(step.time);
    emit_if(builder_, builder_.CreateICmpSGT(count, constant(0)),
            [&] { call_kernel(step.cell, scan_fields(step, states)); });
    module_.copy_back(level_.description(step.cell), count, batch(), states.doubled, work_);
  }

  // Rows that do not depend on each other run as one step of many sequences.
  void emit(const runtime::Rows& step) {
    const Description& d = level_.description(step.cell);
    const EmittedRows x = at(step.x), y = at(step.y);
    const std::int64_t most = std::max<std::int64_t>(1, d.chunk_rows);
    llvm::Value* all = rows(step.time);
    llvm::Value* sequence = module_.floats(work_, times(smaller(all, constant(most)), d.step_row));
    llvm::Value* weights = weights_of(step.cell);
    emit_for(builder_, constant(0), all, most, [&](llvm::Value* first) {
      llvm::Value* count = smaller(builder_.CreateSub(all, first), constant(most));
      call_kernel(step.cell, {.x = row_of(builder_, x, first),
                              .y = row_of(builder_, y, first),
                              .current = work_,
                              .next = work_,
                              .in_place = work_,
                              .sequence = sequence,
                              .step = work_,
                              .weights = weights,
                              .x_step = times(count, x.stride),
                              .y_step = times(count, y.stride),
                              .steps = constant(1),
                              .batch = count,
                              .chunk_steps = constant(1),
                              .x_row = constant(x.stride),
                              .y_row = constant(y.stride)});
    });
  }

  void emit(const runtime::End& step) {
    const EmittedRows from = states_of(step.cell).rows(module_, level_.description(step.cell), step.state);
    emit_copy(builder_, from, at(step.to), step.to.width(), batch());
  }

  void emit(const ReduceTime& step) {
    EmittedRows to = at(step.to);
    for (const Piece& piece : step.from) {
      emit_over_time(builder_, step.function, level_.target.lanes, at(piece), time_of(piece) == kNoTime, to,
                     piece.width(), steps(step.time), batch());
      to.data = module_.floats(to.data, constant(piece.width()));
    }
  }

  // ---- parts of steps

  States states_of(int cell) {
    return {module_, arguments_->state, memory_.states[static_cast<std::size_t>(cell)], level_.description(cell),
            batch()};
  }

  // Only one step runs a cell, so that the weights of a cell are added once.
  llvm::Value* weights_of(int cell) { return module_.add_floats(level_.cell(cell).weights, "weights"); }

  void call_kernel(int cell, const KernelFields& fields) {
    module_.store_arguments(kernel_arguments_, fields);
    builder_.CreateCall(kernels_[level_.cell(cell).kind], {kernel_arguments_});
  }

  KernelFields scan_fields(const runtime::Scan& scan, const States& states) {
    const Description& d = level_.description(scan.cell);
    const EmittedRows x = at(scan.x), y = at(scan.y);
    llvm::Value* count = steps(scan.time);
    llvm::Value* first = constant(0);
    llvm::Value* step = batch();
    if (scan.reverse) {
      first = builder_.CreateMul(builder_.CreateSub(count, constant(1)), batch());
      step = builder_.CreateNeg(batch());
    }
    llvm::Value* values = module_.floats(work_, times(batch(), d.doubled_row));
    return {.x = scan.repeats ? x.data : row_of(builder_, x, first),
            .y = row_of(builder_, y, first),
            .current = states.doubled,
            .next = work_,
            .in_place = states.in_place,
            .sequence = module_.floats(values, times(batch(), d.step_row)),
            .step = values,
            .weights = weights_of(scan.cell),
            .x_step = scan.repeats ? constant(0) : times(step, x.stride),
            .y_step = times(step, y.stride),
            .steps = count,
            .batch = batch(),
            .chunk_steps = level_.target.is_small ? count : module_.chunk_steps(d, count, batch()),
            .x_row = constant(x.stride),
            .y_row = constant(y.stride)};
  }

  ObjectModule& module_;
  llvm::IRBuilder<>& builder_;
  const StepList& list_;
  const ObjectMemory& memory_;
  const Level& level_;
  std::size_t number_;
  std::vector<llvm::Function*> kernels_;  // by kind
  const Arguments* arguments_ = nullptr;
  llvm::Value* kernel_arguments_ = nullptr;
  std::vector<EmittedRows> blocks_;
  llvm::Value* work_ = nullptr;  // the working memory behind the blocks
};

// ---- the functions that all levels share

class ProgramEmitter {
 public:
  ProgramEmitter(llvm::LLVMContext& context, const std::string& name, const ObjectProgram& program,
                 std::span<const Level> levels)
      : module_(context, name, levels),
        builder_(module_.builder()),
        list_(program.list),
        program_(program),
        levels_(levels) {}

  std::unique_ptr<llvm::Module> run() {
    std::vector<llvm::Function*> bodies;
    for (std::size_t i = 0; i < levels_.size(); ++i)
      bodies.push_back(LevelEmitter(module_, program_, levels_[i], i).run());
    llvm::FunctionType* type = module_.run_type(more_pointers(list_));
    llvm::Function* entry = module_.begin(type, module_.name() + "_run", true);
    emit_checks(Arguments(module_, *entry, list_));
    module_.emit_dispatch(*entry, bodies);
    if (list_.no_streaming.empty()) module_.emit_step(entry);
    emit_start();
    return module_.take();
  }

 private:
  llvm::ConstantInt* constant(std::int64_t value) { return module_.constant(value); }
  std::int64_t most_rows() const { return program_.memory.most_rows(facts(levels_[0].target.arch).pointer_bytes); }

  // A call without steps still runs, since an output may be a vector instead of a sequence.
  void emit_checks(const Arguments& arguments) {
    module_.return_where_too_large(arguments.steps, arguments.batch, most_rows());
    module_.return_where_misaligned(arguments.state, arguments.scratch);
    module_.return_where(builder_.CreateICmpEQ(arguments.batch, constant(0)), EntryStatus::Ok);
  }

  // Emits int start(float* state, int64_t batch, int64_t first, int64_t end), which does what runtime::start_sequences
  // does.
  void emit_start() {
    llvm::Type* i64 = builder_.getInt64Ty();
    auto* type = llvm::FunctionType::get(builder_.getInt32Ty(), {builder_.getPtrTy(), i64, i64, i64}, false);
    llvm::Function* start = module_.begin(type, module_.name() + "_start", true);
    llvm::Value *state = start->getArg(0), *batch = start->getArg(1), *first = start->getArg(2),
                *end = start->getArg(3);
    llvm::Value* below = builder_.CreateICmpSLT(first, constant(0));
    llvm::Value* order = builder_.CreateOr(builder_.CreateICmpSLT(end, first), builder_.CreateICmpSLT(batch, end));
    module_.return_where(builder_.CreateOr(below, order), EntryStatus::BadSize);
    module_.return_where_too_large({}, batch, most_rows());
    llvm::Value* count = builder_.CreateSub(end, first);
    for (int cell = 0; cell < list_.cells; ++cell) {
      const States states = states_of(cell, state, batch);
      clear({states.doubled, levels_[0].description(cell).doubled_row}, first, count);
      clear({states.in_place, levels_[0].description(cell).in_place_row}, first, count);
    }
    for (const runtime::StartState& value : list_.starts) {
      const States states = states_of(value.cell, state, batch);
      fill(value, states.rows(module_, levels_[0].description(value.cell), value.state), first, end);
    }
    builder_.CreateRet(module_.status(EntryStatus::Ok));
  }

  States states_of(int cell, llvm::Value* state, llvm::Value* batch) {
    const std::int64_t before = program_.memory.states[static_cast<std::size_t>(cell)];
    return {module_, state, before, levels_[0].description(cell), batch};
  }

  void clear(const EmittedRows& rows, llvm::Value* first, llvm::Value* count) {
    if (rows.stride == 0) return;
    llvm::Value* bytes = builder_.CreateMul(count, constant(runtime::bytes_of(runtime::kRowFormat, rows.stride)));
    builder_.CreateMemSet(row_of(builder_, rows, first), builder_.getInt8(0), bytes, alignment_of(1));
  }

  void fill(const runtime::StartState& value, const EmittedRows& rows, llvm::Value* first, llvm::Value* end) {
    llvm::Value* values = module_.add_floats(value.values, "start");
    const auto width = static_cast<std::int64_t>(value.values.size());
    emit_for(builder_, first, end, 1, [&](llvm::Value* b) {
      emit_copy(builder_, {values, 0}, {row_of(builder_, rows, b), 0}, width, constant(1));
    });
  }

  ObjectModule module_;
  llvm::IRBuilder<>& builder_;
  const StepList& list_;
  const ObjectProgram& program_;
  std::span<const Level> levels_;
};

}  // namespace

std::unique_ptr<llvm::Module> emit_program(llvm::LLVMContext& context, const std::string& name,
                                           const ObjectProgram& program, std::span<const Level> levels) {
  return ProgramEmitter(context, name, program, levels).run();
}

}  // namespace rnnc::compiler
