// The functions of a cell's object that a C program calls: they take plain pointers, check them and call the kernel.
#pragma once

#include "compiler/object/module.hpp"

namespace rnnc::compiler {

/// Defines `name`_run and `name`_step; all else in the module is internal. Levels of one cell come lowest first.
std::unique_ptr<llvm::Module> emit_entries(llvm::LLVMContext& context, const std::string& name,
                                           std::span<const Level> levels);

}  // namespace rnnc::compiler
