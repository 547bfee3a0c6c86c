// A program's list of steps and its cells become the functions of an object that a C program calls. The functions take
// plain pointers, check their arguments, and run the steps in order, in memory that is the caller's.
#pragma once

#include "compiler/object/memory.hpp"
#include "compiler/object/module.hpp"

namespace rnnc::compiler {

/// Holds a program without its cells, which the levels hold.
struct ObjectProgram {
  runtime::StepList list;
  ObjectMemory memory;
};

/// Defines `name`_run, `name`_start and, where the program can run step by step, `name`_step; all else in the module is
/// internal. Levels come lowest first.
std::unique_ptr<llvm::Module> emit_program(llvm::LLVMContext& context, const std::string& name,
                                           const ObjectProgram& program, std::span<const Level> levels);

}  // namespace rnnc::compiler
