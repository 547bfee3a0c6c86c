// LLVM's own description of the target, initialised on first use.
#pragma once

namespace llvm {
class Target;
}

namespace rnnc::compiler {

const llvm::Target& llvm_target();

}  // namespace rnnc::compiler
