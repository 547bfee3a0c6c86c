// LLVM's back end for a target, and modules through it.
#pragma once

#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/CodeGen.h>
#include <llvm/Target/TargetMachine.h>

#include <memory>
#include <string>

#include "compiler/schedule/target.hpp"
#include "ir/cell.hpp"

namespace rnnc::compiler {

std::unique_ptr<llvm::TargetMachine> machine_for(const Target& target);

/// Gives `module` the machine's data layout and checks it; a malformed one is an internal error that shows `cell`, if
/// there is one.
void finish_module(llvm::Module& module, const llvm::TargetMachine& machine, const ir::Cell* cell);

/// A module as LLVM IR.
std::string text_of(const llvm::Module& module);

/// A finished module as a file.
llvm::SmallVector<char, 0> generate(llvm::Module& module, llvm::TargetMachine& machine, llvm::CodeGenFileType type);

}  // namespace rnnc::compiler
