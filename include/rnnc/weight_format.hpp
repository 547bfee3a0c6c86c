// The format in which a program keeps the weights of its products.
#pragma once

#include <cstdint>

namespace rnnc {

/// Weights of products in F16 or BF16 take half the memory of F32, and half the time where memory is the limit. A
/// program then gives the bits of the F32 program whose matrices were rounded to nearest even before: the weights are
/// widened when they are read, and all arithmetic is F32. Weights that no product reads, such as biases, stay F32.
enum class WeightFormat : std::uint8_t {
  F32,
  F16,   // 11 bits of precision, up to 65,504: a larger weight is an error
  BF16,  // 8 bits of precision, the range of F32
};

}  // namespace rnnc
