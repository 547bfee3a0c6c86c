// A schedule and its plan become a module with the two functions of an artifact: `run`, with the loop over time inside,
// and `prepare`, which computes once what depends on parameters only.
#pragma once

#include <llvm/IR/Module.h>

#include <memory>

#include "compiler/schedule/plan.hpp"
#include "compiler/schedule/stages.hpp"
#include "compiler/schedule/target.hpp"

namespace rnnc::compiler {

/// Returns the attributes of functions for `target`.
llvm::AttributeList function_attributes(llvm::LLVMContext& context, const Target& target);

/// The parts of the module that have code: with Preparation, `run` does nothing.
enum class KernelParts : std::uint8_t { All, Preparation };

std::unique_ptr<llvm::Module> emit_kernel(llvm::LLVMContext& context, const Schedule& schedule, const Plan& plan,
                                          const Target& target, KernelParts parts = KernelParts::All);

}  // namespace rnnc::compiler
