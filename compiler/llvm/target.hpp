// An architecture becomes LLVM's own description of it, which is initialised on first use.
#pragma once

#include "compiler/schedule/target.hpp"

namespace llvm {
class Target;
}

namespace rnnc::compiler {

const llvm::Target& llvm_target(Arch arch);

}  // namespace rnnc::compiler
