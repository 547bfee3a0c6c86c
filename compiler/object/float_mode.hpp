// The floating-point mode of kernels, which runtime/kernel_float_mode.hpp explains, on each architecture that objects
// are made for.
#pragma once

#include <llvm/ADT/STLFunctionalExtras.h>
#include <llvm/IR/IRBuilder.h>

#include "compiler/schedule/target.hpp"

namespace rnnc::compiler {

/// Emits the code of `work` such that it runs in the floating-point mode of kernels, and restores the caller's mode and
/// flags behind it. Denormals count where an architecture cannot flush them: in WebAssembly and on RISC-V.
void in_kernel_mode(llvm::IRBuilder<>& builder, Arch arch, llvm::function_ref<void()> work);

}  // namespace rnnc::compiler
