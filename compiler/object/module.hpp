// The cells of a program, for one CPU or several, become the parts of an object file's functions: the kernels and
// weights of each level, the mode for denormals, checks of the caller's arguments, and the choice of the level that the
// CPU can run.
#pragma once

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compiler/object/level.hpp"

namespace rnnc::compiler {

/// The functions return these numbers, which the generated header documents.
enum class EntryStatus : int { Ok = 0, BadSize = 1, Misaligned = 2, NoLevel = 3 };

/// Holds the fields of runtime::KernelArguments that code for one thread reads.
struct KernelFields {
  llvm::Value *x, *y, *current, *next, *in_place, *sequence, *step, *weights;
  llvm::Value *x_step, *y_step, *steps, *batch, *chunk_steps, *x_row, *y_row;
};

class ObjectModule {
 public:
  /// Levels come lowest first.
  ObjectModule(llvm::LLVMContext& context, const std::string& name, std::span<const Level> levels);

  llvm::IRBuilder<>& builder() { return builder_; }
  const std::string& name() const { return name_; }
  std::unique_ptr<llvm::Module> take() { return std::move(module_); }

  llvm::ConstantInt* constant(std::int64_t value) { return builder_.getInt64(static_cast<std::uint64_t>(value)); }
  llvm::ConstantInt* status(EntryStatus value) { return builder_.getInt32(static_cast<std::uint32_t>(value)); }
  llvm::Value* floats(llvm::Value* base, llvm::Value* count);  // base + count floats

  /// Returns the type of `run`, which takes state, scratch, x, y, steps, batch, and more pointers.
  llvm::FunctionType* run_type(std::size_t more_pointers = 0);

  /// Begins a function of the object; all that follows is emitted into it.
  llvm::Function* begin(llvm::FunctionType* type, const std::string& name, bool is_public);

  /// Adds the kernel for a kind of a level, under a name of its own.
  llvm::Function* add_kernel(std::size_t level, std::size_t kind);

  /// Adds `values` as read-only data.
  llvm::GlobalVariable* add_floats(std::span<const float> values, const std::string& name);

  /// Reserves memory for a kernel's arguments, which may be filled in more than once.
  llvm::Value* arguments_slot();
  void store_arguments(llvm::Value* arguments, const KernelFields& fields);

  /// Computes the number of steps whose hoisted values a kernel keeps, as the runtime does, but at most `steps`.
  llvm::Value* chunk_steps(const runtime::Description& description, llvm::Value* steps, llvm::Value* batch);

  /// Emit a return from the function: where `condition` holds; where a count is negative, or one of `steps` times
  /// `batch` is more than `most_rows`; where memory is not aligned.
  void return_where(llvm::Value* condition, EntryStatus value);
  void return_where_too_large(llvm::ArrayRef<llvm::Value*> steps, llvm::Value* batch, std::int64_t most_rows);
  void return_where_misaligned(llvm::Value* state, llvm::Value* scratch);

  /// After an odd number of steps the new values are in the second buffer; the emitted code copies them to the first
  /// one, which the caller keeps.
  void copy_back(const runtime::Description& description, llvm::Value* steps, llvm::Value* batch, llvm::Value* current,
                 llvm::Value* next);

  /// Ends the function `entry`, which passes its arguments on to the body of the level that the CPU can run.
  void emit_dispatch(llvm::Function& entry, const std::vector<llvm::Function*>& bodies);

  /// Emits the function `step`, which calls `run` with one step.
  void emit_step(llvm::Function* run);

 private:
  llvm::Value* product_beyond(llvm::Value* a, llvm::Value* b, std::int64_t limit);
  llvm::Value* narrow_product_beyond(llvm::Value* a, llvm::Value* b, std::int64_t limit);
  llvm::Value* call(llvm::Function* body, llvm::Function& entry);

  llvm::IRBuilder<> builder_;
  std::unique_ptr<llvm::Module> module_;
  std::string name_;
  std::span<const Level> levels_;
};

}  // namespace rnnc::compiler
