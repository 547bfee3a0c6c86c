// Instructions of LLVM become those that a target has, if LLVM would make calls or code for single lanes of them.
#pragma once

#include <llvm/IR/Module.h>

#include "compiler/schedule/target.hpp"

namespace rnnc::compiler {

/// Replaces copied signs in a module for WebAssembly or MVE, and in one for WebAssembly fused multiply-adds. The
/// meaning stays; but an engine of WebAssembly may round the multiply-add of relaxed SIMD twice.
void suit_target(llvm::Module& module, Arch arch);

}  // namespace rnnc::compiler
