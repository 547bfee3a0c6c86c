// The scalar functions by the numbers that portable programs hold; their meaning is told in ir/op.hpp.
#pragma once

#include <cstdint>

namespace rnnc::runtime {

enum class Formula : std::uint8_t {
  Add,
  Sub,
  Mul,
  Div,
  Neg,
  Sigmoid,
  Tanh,
  Relu,
  Exp,
  Log,
  Sqrt,
  Rsqrt,
  Abs,
  Min,
  Max,
  Erf,
  Softplus,
  Softsign,
  Silu,
  Gelu,
  Elu,
  LeakyRelu,
  ThresholdedRelu,
  ScaledTanh,
  Affine,
  HardSigmoid,
  Clip,
  Select,
};

constexpr int arity(Formula formula) {
  using enum Formula;
  switch (formula) {
    case Neg:
    case Sigmoid:
    case Tanh:
    case Relu:
    case Exp:
    case Log:
    case Sqrt:
    case Rsqrt:
    case Abs:
    case Erf:
    case Softplus:
    case Softsign:
    case Silu:
    case Gelu: return 1;
    case Add:
    case Sub:
    case Mul:
    case Div:
    case Min:
    case Max:
    case Elu:
    case LeakyRelu:
    case ThresholdedRelu: return 2;
    case ScaledTanh:
    case Affine:
    case HardSigmoid:
    case Clip: return 3;
    case Select: return 4;
  }
  return 0;
}

}  // namespace rnnc::runtime
