// Weights of a state_dict that are integers of 8 bits become the floats that they stand for. Their scales lie beside
// them: of `weight` in `weight_scale` and `weight_zero_point` (compressed-tensors), of `weight._data` in
// `weight._scale` (optimum-quanto). A weight of integers without scales is kept with the reason why it cannot be read.
#pragma once

#include <string_view>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>
#include "import/state_dict_names.hpp"

namespace rnnc::files {

/// Replaces integers and their scales among the tensors. Sources: the compressed-tensors package,
/// NaiveQuantizationCompressor and dequantize; optimum-quanto, QTensor.save_to_state_dict.
void make_floats(PlainTensors& plain);

/// Does the same with tensors that are no state_dict, for --weights. Errors: InvalidData where integers of 8 bits do
/// not say which floats they stand for.
Result<void> make_floats(TensorMap& tensors, std::string_view file);

}  // namespace rnnc::files
