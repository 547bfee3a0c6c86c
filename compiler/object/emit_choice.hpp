// The CPU features that each of several levels needs become code that finds out which level this machine can run.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <span>

#include "runtime/cpu_features.hpp"

namespace rnnc::compiler {

/// Emits the number (i32, from 1) of the last of `levels` whose features this machine has, or 0 where there is none.
llvm::Value* emit_choice(llvm::IRBuilder<>& builder, std::span<const runtime::CpuFeatures> levels);

}  // namespace rnnc::compiler
