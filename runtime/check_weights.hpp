// Tensors are checked against the parameters of a cell, and their numbers against the format that they are packed in.
#pragma once

#include <map>
#include <span>
#include <string>

#include <rnnc/export.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

#include "runtime/artifact.hpp"

namespace rnnc::runtime {

/// Tensors by the names of parameters. The owner of a tensor keeps it alive.
using TensorRefs = std::map<std::string, const Tensor*>;
RNNC_API TensorRefs refs_to(const TensorMap& tensors);

/// Checks that every parameter of the description has a tensor of its shape and that no tensor is left over. `kind` is
/// what the messages call the owner of the parameters. Errors: InvalidData (missing, left over, or not a float type),
/// ShapeMismatch.
RNNC_API Result<void> check_weights(const Description& description, const TensorRefs& weights,
                                    const std::string& kind = "cell");

/// Checks that the format of a panel holds all weights of a piece, whose matrix is `width` columns wide: rounding would
/// make infinity of one that is too large. Errors: InvalidData.
Result<void> check_range(const PanelPacking& panel, const MatrixPiece& piece, std::span<const float> source,
                         std::int64_t width);

}  // namespace rnnc::runtime
