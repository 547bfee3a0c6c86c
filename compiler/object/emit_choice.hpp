// Code that finds out which of several levels this machine can run.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <span>

#include "runtime/cpu_features.hpp"

namespace rnnc::compiler {

/// The number (i32, from 1) of the last of `levels` whose features this machine has, and 0 where it has none's.
llvm::Value* emit_choice(llvm::IRBuilder<>& builder, std::span<const runtime::CpuFeatures> levels);

}  // namespace rnnc::compiler
