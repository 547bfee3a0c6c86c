// The arguments of a kernel become code in which threads that share the stages of a call wait for each other. A thread
// counts the stages that it has finished in a flag of its own, and goes on when no other thread is behind.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <array>

#include "compiler/llvm/tile.hpp"
#include "compiler/schedule/target.hpp"

namespace rnnc::compiler {

class Meeting {
 public:
  /// Reads which part this thread is from `arguments`, the KernelArguments of the function that is being emitted.
  Meeting(llvm::IRBuilder<>& builder, llvm::Module& module, Arch arch, llvm::Value* arguments,
          llvm::AttributeList attributes);

  Part part() const { return part_; }

  /// Emits the wait at the end of a stage. Behind it, a thread can read all that the others wrote before theirs.
  void emit(llvm::IRBuilder<>& builder);

  /// Lists the values of the function in which the meeting takes place.
  std::array<llvm::Value**, 2> values() { return {&arguments_, &finished_}; }

 private:
  llvm::Function* function_;
  llvm::Value* arguments_;
  llvm::Value* finished_;  // the address of the number of stages finished so far
  Part part_;
};

}  // namespace rnnc::compiler
