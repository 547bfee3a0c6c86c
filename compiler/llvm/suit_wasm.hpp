// Instructions of LLVM become those that WebAssembly has, if LLVM would make calls or code for single lanes of them.
#pragma once

#include <llvm/IR/Module.h>

namespace rnnc::compiler {

/// Replaces fused multiply-adds and copied signs in a module for WebAssembly. The meaning stays; but an engine may
/// round the multiply-add of relaxed SIMD twice.
void suit_wasm(llvm::Module& module);

}  // namespace rnnc::compiler
