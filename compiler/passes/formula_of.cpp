#include "compiler/passes/formula_of.hpp"

#include "ir/check.hpp"

namespace rnnc::compiler {

runtime::Formula formula_of(ir::Function function) {
  using runtime::Formula;
  switch (function) {
    case ir::Function::Add: return Formula::Add;
    case ir::Function::Sub: return Formula::Sub;
    case ir::Function::Mul: return Formula::Mul;
    case ir::Function::Div: return Formula::Div;
    case ir::Function::Neg: return Formula::Neg;
    case ir::Function::Sigmoid: return Formula::Sigmoid;
    case ir::Function::Tanh: return Formula::Tanh;
    case ir::Function::Relu: return Formula::Relu;
    case ir::Function::Exp: return Formula::Exp;
    case ir::Function::Log: return Formula::Log;
    case ir::Function::Sqrt: return Formula::Sqrt;
    case ir::Function::Rsqrt: return Formula::Rsqrt;
    case ir::Function::Abs: return Formula::Abs;
    case ir::Function::Min: return Formula::Min;
    case ir::Function::Max: return Formula::Max;
    case ir::Function::Erf: return Formula::Erf;
    case ir::Function::Softplus: return Formula::Softplus;
    case ir::Function::Softsign: return Formula::Softsign;
    case ir::Function::Silu: return Formula::Silu;
    case ir::Function::Gelu: return Formula::Gelu;
    case ir::Function::Elu: return Formula::Elu;
    case ir::Function::LeakyRelu: return Formula::LeakyRelu;
    case ir::Function::ThresholdedRelu: return Formula::ThresholdedRelu;
    case ir::Function::ScaledTanh: return Formula::ScaledTanh;
    case ir::Function::Affine: return Formula::Affine;
    case ir::Function::HardSigmoid: return Formula::HardSigmoid;
    case ir::Function::Clip: return Formula::Clip;
    case ir::Function::Select: return Formula::Select;
  }
  ir::internal_error(nullptr, "not a function");
}

}  // namespace rnnc::compiler
