// The functions of an object that a C program calls: they take plain pointers, check them, and take the steps of the
// program in their order, in memory that is the caller's.
#pragma once

#include "compiler/object/memory.hpp"
#include "compiler/object/module.hpp"

namespace rnnc::compiler {

/// A program without its cells, which the levels have.
struct ObjectProgram {
  runtime::StepList list;
  ObjectMemory memory;
};

/// Defines `name`_run, `name`_start and, where the program can run step by step, `name`_step; all else in the module is
/// internal. Levels come lowest first.
std::unique_ptr<llvm::Module> emit_program(llvm::LLVMContext& context, const std::string& name,
                                           const ObjectProgram& program, std::span<const Level> levels);

}  // namespace rnnc::compiler
