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

}  // namespace rnnc::runtime
