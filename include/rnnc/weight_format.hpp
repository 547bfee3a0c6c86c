// The format in which a program keeps the weights of its products.
#pragma once

#include <cstdint>

namespace rnnc {

/// Weights that no product reads, such as biases, stay F32 in every format.
///
/// Weights of products in F16 or BF16 take half the memory of F32, and half the time where memory is the limit. A
/// program then gives the bits of the F32 program whose matrices were rounded to nearest even before: the weights are
/// widened when they are read, and all arithmetic is F32.
///
/// The formats of integers multiply integers: a row of a matrix has one scale, the vector that it multiplies has
/// another, and the sums are exact, so that all CPUs give the same bits. docs/numerics.md defines them. A weight that
/// is not finite makes its row NaN.
enum class WeightFormat : std::uint8_t {
  F32,
  F16,    // 11 bits of precision, up to 65,504: a larger weight is an error
  BF16,   // 8 bits of precision, the range of F32
  W16,    // weights and vectors in 16 bits: within some 1e-4 of F32 as a rule
  W8A16,  // weights in 8 bits, vectors in 16
  W8,     // weights and vectors in 8 bits
};

}  // namespace rnnc
