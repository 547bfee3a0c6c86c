// A target becomes LLVM's back end for it, which turns a module into text or a file.
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

/// Makes `module` one for the machine, which is of `arch`, and checks it. A malformed module is an internal error that
/// shows `cell`, if `cell` is not null.
void finish_module(llvm::Module& module, const llvm::TargetMachine& machine, Arch arch, const ir::Cell* cell);

/// Prints a module as LLVM IR.
std::string text_of(const llvm::Module& module);

/// Compiles a finished module to the content of a file.
llvm::SmallVector<char, 0> generate(llvm::Module& module, llvm::TargetMachine& machine, llvm::CodeGenFileType type);

}  // namespace rnnc::compiler
