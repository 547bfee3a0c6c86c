// What the functions of an object file are made of: kernels and weights of each level, the mode for denormals, checks
// of what the caller hands over, and the choice of the level that the CPU can run.
#pragma once

#include <llvm/ADT/STLFunctionalExtras.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compiler/schedule/kinds.hpp"
#include "compiler/schedule/lower.hpp"

namespace rnnc::compiler {

/// A cell of a program: the kind, and weights of its own, packed and prepared.
struct CellUse {
  std::size_t kind = 0;
  std::vector<float> weights;
};

/// The cells of a program for one CPU.
struct Level {
  Target target;
  Kinds<CellKind> kinds = {};
  std::vector<CellUse> cells = {};

  const CellUse& cell(int i) const { return cells[static_cast<std::size_t>(i)]; }
  const runtime::Description& description(int i) const { return kinds[cell(i).kind].description; }
};

/// What the functions return, as the generated header documents it.
enum class EntryStatus : int { Ok = 0, BadSize = 1, Misaligned = 2, NoLevel = 3 };

/// Of runtime::KernelArguments, what code for one thread reads.
struct KernelFields {
  llvm::Value *x, *y, *current, *next, *in_place, *sequence, *step, *weights;
  llvm::Value *x_step, *y_step, *steps, *batch, *chunk_steps, *x_row, *y_row;
};

inline constexpr std::uint64_t kObjectAlignment = 64;  // bytes, of state and scratch

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

  /// Of `run`: state, scratch, x, y, steps, batch, and more pointers.
  llvm::FunctionType* run_type(std::size_t more_pointers = 0);

  /// Begins a function of the object, where all that follows is emitted.
  llvm::Function* begin(llvm::FunctionType* type, const std::string& name, bool is_public);

  /// Memory of the function that is emitted, beside what it has of that already.
  llvm::AllocaInst* slot(llvm::Type* type);

  /// The kernel of a kind of a level, under a name of its own.
  llvm::Function* add_kernel(std::size_t level, std::size_t kind);

  /// Read-only data.
  llvm::GlobalVariable* add_floats(std::span<const float> values, const std::string& name);

  /// Room for a kernel's arguments, which may be filled in more than once.
  llvm::Value* arguments_slot();
  void store_arguments(llvm::Value* arguments, const KernelFields& fields);

  /// How many steps' hoisted values a kernel keeps, as the runtime has it, but of no more steps than there are.
  llvm::Value* chunk_steps(const runtime::Description& description, llvm::Value* steps, llvm::Value* batch);

  /// Returns from the function that is emitted where `condition` holds.
  void return_where(llvm::Value* condition, EntryStatus value);
  void return_where_misaligned(llvm::Value* state, llvm::Value* scratch);

  /// Runs what `work` emits with denormals flushed, and gives the caller's mode back.
  void flushing_denormals(Arch arch, llvm::function_ref<void()> work);

  /// After an odd number of steps the new values are in the second buffer: they go back where the caller keeps them.
  void copy_back(const runtime::Description& description, llvm::Value* steps, llvm::Value* batch, llvm::Value* current,
                 llvm::Value* next);

  /// Ends the function `entry`: it passes its arguments on to the body of the level that the CPU can run.
  void emit_dispatch(llvm::Function& entry, const std::vector<llvm::Function*>& bodies);

  /// The function `step` of `run`, which it calls with one step.
  void emit_step(llvm::Function* run);

 private:
  void flushing_denormals_x86(llvm::function_ref<void()> work);
  void flushing_denormals_aarch64(llvm::function_ref<void()> work);
  llvm::Value* call(llvm::Function* body, llvm::Function& entry);

  llvm::IRBuilder<> builder_;
  std::unique_ptr<llvm::Module> module_;
  std::string name_;
  std::span<const Level> levels_;
};

}  // namespace rnnc::compiler
