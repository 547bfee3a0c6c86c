// Code counts with 64 bits, and code for a machine of 32 bits with as many as its addresses have. Otherwise each index
// would take two registers, and a division of sizes would call a library that such a machine need not have.
#pragma once

#include <llvm/IR/Module.h>

namespace rnnc::compiler {

/// Makes integers of 32 bits of all those of 64 bits in a module, also in the arguments of its functions and in the
/// caller's arrays. Fields of runtime::KernelArguments keep their places. Numbers must fit, which the checks at the
/// entries of an object ensure.
void narrow_indices(llvm::Module& module);

}  // namespace rnnc::compiler
