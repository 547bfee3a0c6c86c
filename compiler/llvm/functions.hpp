// Vectors of operands become vector IR that computes element-wise functions of them, by the formulas of
// runtime/formulas.hpp. The IR has no call and no fast-math flag.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <span>

#include "ir/op.hpp"

namespace rnnc::compiler {

/// Emits element-wise arithmetic on vectors of `lanes` f32 at the builder's insertion point.
class FunctionEmitter {
 public:
  FunctionEmitter(llvm::IRBuilderBase& builder, unsigned lanes, bool has_fma);

  /// Lets code branch around work that numbers of usual size do not need. Without vectors, such work takes several
  /// instructions for each lane.
  void set_branches(bool branches) { branches_ = branches; }

  /// Emits one value of `function`; each operand is a <lanes x float>.
  ///
  /// Numerics  meaning in ir/op.hpp, bound in runtime/functions.def; NaN propagates
  llvm::Value* emit(ir::Function function, std::span<llvm::Value* const> operands);

  llvm::Value* splat(float constant);

  /// Emits a * b + c, with one rounding where the CPU has fused multiply-adds, else with two.
  llvm::Value* fma(llvm::Value* a, llvm::Value* b, llvm::Value* c);

 private:
  llvm::IRBuilderBase& builder_;
  llvm::VectorType* float_type_;
  bool has_fma_, branches_ = false;
};

}  // namespace rnnc::compiler
