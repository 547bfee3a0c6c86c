// The element-wise functions of generated code, as explicit vector IR: runtime/formulas.hpp has how each is computed.
// No call and no fast-math flag.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <span>

#include "ir/op.hpp"

namespace rnnc::compiler {

/// Emits element-wise arithmetic on vectors of `lanes` f32 at the builder's insertion point.
class FunctionEmitter {
 public:
  FunctionEmitter(llvm::IRBuilderBase& builder, unsigned lanes, bool has_fma);

  /// One value of `function`; each operand is a <lanes x float>.
  ///
  /// Numerics  meaning in ir/op.hpp, bound in runtime/functions.def; NaN propagates
  llvm::Value* emit(ir::Function function, std::span<llvm::Value* const> operands);

  llvm::Value* splat(float constant);

  /// a * b + c: one rounding where the CPU has it, else two.
  llvm::Value* fma(llvm::Value* a, llvm::Value* b, llvm::Value* c);

 private:
  llvm::IRBuilderBase& builder_;
  llvm::VectorType* float_type_;
  bool has_fma_;
};

}  // namespace rnnc::compiler
