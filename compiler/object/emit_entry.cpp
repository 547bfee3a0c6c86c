#include "compiler/object/emit_entry.hpp"

namespace rnnc::compiler {
namespace {

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
      : module_(context, name, levels), builder_(module_.builder()), levels_(levels) {}

  std::unique_ptr<llvm::Module> run() {
    std::vector<llvm::Function*> bodies;
    for (std::size_t i = 0; i < levels_.size(); ++i) bodies.push_back(emit_level(i));
    llvm::Function* entry = module_.begin(module_.run_type(), module_.name() + "_run", true);
    emit_checks(Call(*entry));
    module_.emit_dispatch(*entry, bodies);
    module_.emit_step(entry);
    return module_.take();
  }

 private:
  llvm::ConstantInt* constant(std::int64_t value) { return module_.constant(value); }

  void emit_checks(const Call& call) {
    llvm::Value* sizes = builder_.CreateOr(call.steps, call.batch);
    module_.return_where(builder_.CreateICmpSLT(sizes, constant(0)), EntryStatus::BadSize);
    module_.return_where_misaligned(call.state, call.scratch);
    llvm::Value* nothing = builder_.CreateOr(builder_.CreateICmpEQ(call.steps, constant(0)),
                                             builder_.CreateICmpEQ(call.batch, constant(0)));
    module_.return_where(nothing, EntryStatus::Ok);
  }

  // State: rows of double-buffered states, then of the others. Scratch: the second buffer, values of a step, of a
  // chunk.
  llvm::Value* fill_arguments(const runtime::Description& d, const Call& call, llvm::Value* next,
                              llvm::Value* weights) {
    llvm::Value* doubled = builder_.CreateMul(call.batch, constant(d.doubled_row));
    llvm::Value* step = module_.floats(next, doubled);
    llvm::Value* in_place = module_.floats(call.state, doubled);
    llvm::Value* sequence = module_.floats(step, builder_.CreateMul(call.batch, constant(d.step_row)));
    llvm::Value* x_step = builder_.CreateMul(call.batch, constant(d.input_size));
    llvm::Value* y_step = builder_.CreateMul(call.batch, constant(d.output_size));
    llvm::Value* chunk_steps = module_.chunk_steps(d, call.steps, call.batch);
    llvm::Value* arguments = module_.arguments_slot();
    module_.store_arguments(
        arguments, {call.x, call.y, call.state, next, in_place, sequence, step, weights, x_step, y_step, call.steps,
                    call.batch, chunk_steps, constant(d.input_size), constant(d.output_size)});
    return arguments;
  }

  llvm::Function* emit_level(std::size_t i) {
    const Level& level = levels_[i];
    const runtime::Description& description = level.kind_of(0).description;
    llvm::Function* kernel = module_.add_kernel(i, level.cells[0].kind);
    llvm::Value* weights = module_.add_floats(level.cells[0].weights, "weights");
    llvm::Function* function = module_.begin(module_.run_type(), "level_" + std::to_string(i), false);
    const Call call(*function);
    llvm::Value* arguments = fill_arguments(description, call, call.scratch, weights);
    module_.flushing_denormals(level.target.arch, [&] { builder_.CreateCall(kernel, {arguments}); });
    module_.copy_back(description, call.steps, call.batch, call.state, call.scratch);
    builder_.CreateRet(module_.status(EntryStatus::Ok));
    return function;
  }

  ObjectModule module_;
  llvm::IRBuilder<>& builder_;
  std::span<const Level> levels_;
};

}  // namespace

std::unique_ptr<llvm::Module> emit_entries(llvm::LLVMContext& context, const std::string& name,
                                           std::span<const Level> levels) {
  return EntryEmitter(context, name, levels).run();
}

}  // namespace rnnc::compiler
