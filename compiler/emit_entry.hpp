// The functions of an object file that a C program calls: they take plain pointers, check them, find the level of the CPU
// where there are several, set the mode for denormals and call the kernel.
#pragma once

#include <llvm/IR/Module.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compiler/lower.hpp"

namespace rnnc::compiler {

/// One cell for one CPU, with all its weights.
struct Level {
  Target target;
  Lowered lowered;
  runtime::Description description;
  std::vector<float> weights;  // packed and prepared
};

/// What the functions return, as the generated header documents it.
enum class EntryStatus : int { Ok = 0, BadSize = 1, Misaligned = 2, NoLevel = 3 };

/// Defines `name`_run and `name`_step; all else in the module is internal. Levels come lowest first.
std::unique_ptr<llvm::Module> emit_entries(llvm::LLVMContext& context, const std::string& name,
                                           std::span<const Level> levels);

}  // namespace rnnc::compiler
