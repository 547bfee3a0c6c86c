// Where threads that share the stages of a call wait for each other: each counts the stages that it has finished in a
// flag of its own, and goes on when no other is behind.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include "compiler/llvm/tile.hpp"
#include "compiler/schedule/target.hpp"

namespace rnnc::compiler {

class Meeting {
 public:
  /// Reads which part this thread is from `arguments`, the KernelArguments of the function that is being emitted.
  Meeting(llvm::IRBuilder<>& builder, llvm::Module& module, Arch arch, llvm::Value* arguments,
          llvm::AttributeList attributes);

  Part part() const { return part_; }

  /// After this, all that the other threads have written up to the same point can be read.
  void emit(llvm::IRBuilder<>& builder);

 private:
  llvm::Function* function_;
  llvm::Value* arguments_;
  llvm::Value* finished_;  // where the function keeps the number of stages finished so far
  Part part_;
};

}  // namespace rnnc::compiler
