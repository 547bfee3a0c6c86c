// Integers with scales. Constants of them become floats, each the product of integer and scale, rounded once; floats
// that the graph itself makes integers of (a QuantizeLinear of weights) are rounded as ONNX says. Values of the model
// are the part of quantized_nodes.cpp.
#pragma once

#include "import/onnx/attributes.hpp"
#include "import/onnx/constants.hpp"

namespace rnnc::files {

/// Says which float an integer stands for: (integer - zero point) * scale.
struct Quantization {
  const TensorView* scale = nullptr;
  const TensorView* zero_point = nullptr;  // nullptr for 0
  std::int64_t axis = 1;                   // along which there is one of both for each place, or for each block
  std::int64_t block_size = 0;             // places of a block; 0 where there are no blocks
};

/// The integers that a type holds.
struct IntegerRange {
  double least = 0, most = 255;
};

/// Returns the scales. Throws Refusal if one is no finite number.
std::vector<double> scales_of(const OnnxAttributes& attributes, const TensorView& scale);

/// Returns as many zero points as there are scales. Throws Refusal.
std::vector<double> zero_points_of(const OnnxAttributes& attributes, const TensorView* zero_point, std::size_t count);

/// Returns the floats that integers stand for. Throws Refusal, also if a scale is no finite number.
TensorView dequantized(const OnnxAttributes& attributes, const TensorView& integers, const Quantization& by);

/// Returns the integers without their zero points, as f32. Throws Refusal.
TensorView without_zero_point(const OnnxAttributes& attributes, const TensorView& integers,
                              const TensorView* zero_point, std::int64_t axis);

/// Reads how a QuantizeLinear or DequantizeLinear node quantises; nullopt if scale or zero point are no constants.
std::optional<Quantization> quantization_of(OnnxAttributes& attributes, OnnxConstants& constants);

/// Returns the range of what a QuantizeLinear gives, the type of its zero point or its output_dtype. Throws Refusal.
IntegerRange range_of(OnnxAttributes& attributes, const TensorView* zero_point);

/// Makes the output of a QuantizeLinear or DequantizeLinear node of constants a constant; returns whether it is so.
/// Throws Refusal.
bool fold_quantized(const OnnxNode& node, std::string_view file, OnnxConstants& constants);

}  // namespace rnnc::files
