#include "compiler/object/emit_network.hpp"

#include <algorithm>

#include "compiler/llvm/emit_kernel.hpp"
#include "compiler/llvm/loops.hpp"
#include "compiler/llvm/types.hpp"
#include "compiler/object/emit_rows.hpp"
#include "ir/graph.hpp"

namespace rnnc::compiler {
namespace {

using runtime::Block;
using runtime::CellCall;
using runtime::Description;
using runtime::kNoTime;
using runtime::LoadedNetwork;
using runtime::Piece;
using runtime::StateInfo;
using runtime::TimeCall;

constexpr std::int64_t kLine = runtime::kCacheLineFloats;

// The arguments of `run`, with the number of steps of each time.
struct Arguments {
  llvm::Value *state, *scratch, *x, *y, *batch;
  llvm::Value* inputs = nullptr;      // the network's, by their number
  std::vector<llvm::Value*> steps{};  // by time

  Arguments(ObjectModule& module, llvm::Function& function, const LoadedNetwork& network)
      : state(function.getArg(0)),
        scratch(function.getArg(1)),
        x(function.getArg(2)),
        y(function.getArg(3)),
        batch(function.getArg(5)) {
    llvm::IRBuilder<>& builder = module.builder();
    unsigned next = 6;
    if (!network.inputs.empty()) inputs = function.getArg(next++);
    std::int64_t other = 0;
    for (const std::string& time : network.times) {
      const auto load = [&]() -> llvm::Value* {
        llvm::Value* place = builder.CreateGEP(builder.getInt64Ty(), function.getArg(next), module.constant(other++));
        return builder.CreateLoad(builder.getInt64Ty(), place);
      };
      steps.push_back(time == ir::kTime ? function.getArg(4) : load());
    }
  }
};

std::size_t more_pointers(const LoadedNetwork& network) {
  return (network.inputs.empty() ? 0 : 1) + (other_times(network).empty() ? 0 : 1);
}

// Where the states of a call lie, for `batch` sequences.
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
  LevelEmitter(ObjectModule& module, const ObjectNetwork& object, const Level& level, std::size_t number)
      : module_(module),
        builder_(module.builder()),
        network_(object.network),
        memory_(object.memory),
        level_(level),
        number_(number) {}

  llvm::Function* run() {
    for (std::size_t kind = 0; kind < level_.kinds.size(); ++kind)
      kernels_.push_back(module_.add_kernel(number_, kind));
    llvm::Function* function = module_.begin(module_.run_type(more_pointers(network_)), level_name(), false);
    function->setAttributes(function_attributes(builder_.getContext(), level_.target));
    const Arguments arguments(module_, *function, network_);
    arguments_ = &arguments;
    kernel_arguments_ = module_.arguments_slot();
    place_blocks();
    emit_calls();
    if (memory_.in_y < 0) {
      std::int64_t width = 0;
      for (const Piece& piece : network_.output) width += piece.end - piece.begin;
      gather(network_.output, network_.output_time, {arguments.y, width});
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
  int time_of(const Piece& piece) const { return network_.blocks[static_cast<std::size_t>(piece.block)].time; }

  EmittedRows at(const Piece& piece) {
    const EmittedRows& block = blocks_[static_cast<std::size_t>(piece.block)];
    return {module_.floats(block.data, constant(piece.begin)), block.stride};
  }

  void place_blocks() {
    llvm::Value* most = arguments_->steps.front();
    for (llvm::Value* each : arguments_->steps)
      most = builder_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, most, each);
    llvm::Value* timed_rows = builder_.CreateMul(most, batch());
    llvm::Value* once = module_.floats(arguments_->scratch, times(timed_rows, memory_.timed_columns));
    for (std::size_t i = 0; i < network_.blocks.size(); ++i) {
      const Block& block = network_.blocks[i];
      const auto place = [&]() -> llvm::Value* {
        if (block.kind == Block::Kind::X) return arguments_->x;
        if (block.kind == Block::Kind::Input) return load_input(block.input);
        if (static_cast<int>(i) == memory_.in_y) return arguments_->y;
        if (block.time == kNoTime) return module_.floats(once, times(batch(), memory_.columns[i]));
        return module_.floats(arguments_->scratch, times(timed_rows, memory_.columns[i]));
      };
      blocks_.push_back({place(), block.width});
    }
    llvm::Value* used =
        builder_.CreateAdd(times(timed_rows, memory_.timed_columns), times(batch(), memory_.once_columns));
    llvm::Value* lines = builder_.CreateAnd(builder_.CreateAdd(used, constant(kLine - 1)), constant(-kLine));
    work_ = module_.floats(arguments_->scratch, lines);
  }

  llvm::Value* load_input(int input) {
    llvm::Value* place = builder_.CreateGEP(builder_.getPtrTy(), arguments_->inputs, constant(input));
    return builder_.CreateLoad(builder_.getPtrTy(), place);
  }

  // Cells run with denormals flushed; functions over time in the caller's mode, as the runtime's do.
  void emit_calls() {
    std::size_t cell = 0;
    for (std::size_t i = 0; i < network_.calls.size();) {
      if (const auto* time = std::get_if<TimeCall>(&network_.calls[i])) {
        emit(*time);
        ++i;
        continue;
      }
      module_.flushing_denormals(level_.target.arch, [&] {
        for (; i < network_.calls.size() && std::holds_alternative<CellCall>(network_.calls[i]); ++i)
          emit(std::get<CellCall>(network_.calls[i]), cell++);
      });
    }
  }

  void emit(const TimeCall& call) {
    EmittedRows to = at(call.y);
    for (const Piece& piece : call.x) {
      const std::int64_t width = piece.end - piece.begin;
      emit_over_time(builder_, call.function, level_.target.lanes, at(piece), time_of(piece) == kNoTime, to, width,
                     steps(call.time), batch());
      to.data = module_.floats(to.data, constant(width));
    }
  }

  void emit(const CellCall& call, std::size_t cell) {
    llvm::Value* weights = module_.add_floats(level_.cells[cell].weights, "weights");
    const EmittedRows x = rows_of_x(call);
    if (level_.kind_of(cell).description.states.empty())
      emit_rows(call, cell, x, weights);
    else
      emit_scan(call, cell, x, weights);
  }

  EmittedRows rows_of_x(const CellCall& call) {
    if (call.x.empty()) return {llvm::ConstantPointerNull::get(builder_.getPtrTy()), 0};
    if (call.gathered < 0) return at(call.x[0]);
    const EmittedRows& x = blocks_[static_cast<std::size_t>(call.gathered)];
    gather(call.x, call.repeats_x ? kNoTime : call.time, x);
    return x;
  }

  // The pieces side by side.
  void gather(const std::vector<Piece>& pieces, int time, EmittedRows to) {
    for (const Piece& piece : pieces) {
      const std::int64_t width = piece.end - piece.begin;
      if (time_of(piece) == time)
        emit_copy(builder_, at(piece), to, width, rows(time));
      else
        emit_repeat(builder_, at(piece), to, width, steps(time), batch());
      to.data = module_.floats(to.data, constant(width));
    }
  }

  void call_kernel(std::size_t cell, const KernelFields& fields) {
    module_.store_arguments(kernel_arguments_, fields);
    builder_.CreateCall(kernels_[level_.cells[cell].kind], {kernel_arguments_});
  }

  // Rows that do not depend on each other are one step of many sequences.
  void emit_rows(const CellCall& call, std::size_t cell, const EmittedRows& x, llvm::Value* weights) {
    const Description& d = level_.kind_of(cell).description;
    const EmittedRows y = at(call.y);
    const std::int64_t most = std::max<std::int64_t>(1, d.chunk_rows);
    llvm::Value* all = rows(call.time);
    llvm::Value* sequence = module_.floats(work_, times(smaller(all, constant(most)), d.step_row));
    emit_for(builder_, constant(0), all, most, [&](llvm::Value* first) {
      llvm::Value* count = smaller(builder_.CreateSub(all, first), constant(most));
      call_kernel(cell, {.x = row_of(builder_, x, first),
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

  void emit_scan(const CellCall& call, std::size_t cell, const EmittedRows& x, llvm::Value* weights) {
    const Description& d = level_.kind_of(cell).description;
    const States states(module_, arguments_->state, memory_.states[cell], d, batch());
    begin_states(call, d, states);
    llvm::Value* count = steps(call.time);
    emit_if(builder_, builder_.CreateICmpSGT(count, constant(0)),
            [&] { call_kernel(cell, scan_fields(call, d, x, weights, states)); });
    module_.copy_back(d, count, batch(), states.doubled, work_);
    for (const runtime::FinalState& final : call.final_states)
      emit_copy(builder_, states.rows(module_, d, final.state), at(final.to), final.to.end - final.to.begin, batch());
  }

  KernelFields scan_fields(const CellCall& call, const Description& d, const EmittedRows& x, llvm::Value* weights,
                           const States& states) {
    const EmittedRows y = at(call.y);
    llvm::Value* count = steps(call.time);
    llvm::Value* first = constant(0);
    llvm::Value* step = batch();
    if (call.reverse) {
      first = builder_.CreateMul(builder_.CreateSub(count, constant(1)), batch());
      step = builder_.CreateNeg(batch());
    }
    llvm::Value* values = module_.floats(work_, times(batch(), d.doubled_row));
    return {.x = call.repeats_x ? x.data : row_of(builder_, x, first),
            .y = row_of(builder_, y, first),
            .current = states.doubled,
            .next = work_,
            .in_place = states.in_place,
            .sequence = module_.floats(values, times(batch(), d.step_row)),
            .step = values,
            .weights = weights,
            .x_step = call.repeats_x ? constant(0) : times(step, x.stride),
            .y_step = times(step, y.stride),
            .steps = count,
            .batch = batch(),
            .chunk_steps = module_.chunk_steps(d, count, batch()),
            .x_row = constant(x.stride),
            .y_row = constant(y.stride)};
  }

  void begin_states(const CellCall& call, const Description& d, const States& states) {
    for (const runtime::InitialState& initial : call.initial) {
      EmittedRows to = states.rows(module_, d, initial.state);
      for (const Piece& piece : initial.from) {
        const std::int64_t width = piece.end - piece.begin;
        emit_copy(builder_, at(piece), to, width, batch());
        to.data = module_.floats(to.data, constant(width));
      }
    }
  }

  ObjectModule& module_;
  llvm::IRBuilder<>& builder_;
  const LoadedNetwork& network_;
  const ObjectMemory& memory_;
  const Level& level_;
  std::size_t number_;
  std::vector<llvm::Function*> kernels_;  // by kind
  const Arguments* arguments_ = nullptr;
  llvm::Value* kernel_arguments_ = nullptr;
  std::vector<EmittedRows> blocks_;
  llvm::Value* work_ = nullptr;  // behind the blocks
};

// ---- what does not differ between levels

class NetworkEmitter {
 public:
  NetworkEmitter(llvm::LLVMContext& context, const std::string& name, const ObjectNetwork& object,
                 std::span<const Level> levels)
      : module_(context, name, levels), builder_(module_.builder()), object_(object), levels_(levels) {}

  std::unique_ptr<llvm::Module> run() {
    std::vector<llvm::Function*> bodies;
    for (std::size_t i = 0; i < levels_.size(); ++i)
      bodies.push_back(LevelEmitter(module_, object_, levels_[i], i).run());
    llvm::FunctionType* type = module_.run_type(more_pointers(object_.network));
    llvm::Function* entry = module_.begin(type, module_.name() + "_run", true);
    emit_checks(Arguments(module_, *entry, object_.network));
    module_.emit_dispatch(*entry, bodies);
    if (object_.network.no_streaming.empty()) module_.emit_step(entry);
    emit_start();
    return module_.take();
  }

 private:
  llvm::ConstantInt* constant(std::int64_t value) { return module_.constant(value); }

  // A call of no steps is one all the same: what it gives may be of no time.
  void emit_checks(const Arguments& arguments) {
    llvm::Value* sizes = arguments.batch;
    for (llvm::Value* steps : arguments.steps) sizes = builder_.CreateOr(sizes, steps);
    module_.return_where(builder_.CreateICmpSLT(sizes, constant(0)), EntryStatus::BadSize);
    module_.return_where_misaligned(arguments.state, arguments.scratch);
    module_.return_where(builder_.CreateICmpEQ(arguments.batch, constant(0)), EntryStatus::Ok);
  }

  // int start(float* state, int64_t batch, int64_t first, int64_t end): as runtime::start_sequences.
  void emit_start() {
    llvm::Type* i64 = builder_.getInt64Ty();
    auto* type = llvm::FunctionType::get(builder_.getInt32Ty(), {builder_.getPtrTy(), i64, i64, i64}, false);
    llvm::Function* start = module_.begin(type, module_.name() + "_start", true);
    llvm::Value *state = start->getArg(0), *batch = start->getArg(1), *first = start->getArg(2),
                *end = start->getArg(3);
    llvm::Value* below = builder_.CreateICmpSLT(first, constant(0));
    llvm::Value* order = builder_.CreateOr(builder_.CreateICmpSLT(end, first), builder_.CreateICmpSLT(batch, end));
    module_.return_where(builder_.CreateOr(below, order), EntryStatus::BadSize);
    llvm::Value* count = builder_.CreateSub(end, first);
    std::size_t cell = 0;
    for (const runtime::NetworkCall& any : object_.network.calls) {
      const auto* call = std::get_if<CellCall>(&any);
      if (!call) continue;
      const Description& d = levels_[0].kind_of(cell).description;
      const States states(module_, state, object_.memory.states[cell++], d, batch);
      clear({states.doubled, d.doubled_row}, first, count);
      clear({states.in_place, d.in_place_row}, first, count);
      for (const runtime::StartState& value : call->starts)
        fill(value, states.rows(module_, d, value.state), first, end);
    }
    builder_.CreateRet(module_.status(EntryStatus::Ok));
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
  const ObjectNetwork& object_;
  std::span<const Level> levels_;
};

}  // namespace

std::unique_ptr<llvm::Module> emit_network(llvm::LLVMContext& context, const std::string& name,
                                           const ObjectNetwork& object, std::span<const Level> levels) {
  return NetworkEmitter(context, name, object, levels).run();
}

}  // namespace rnnc::compiler
