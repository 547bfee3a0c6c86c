// A model becomes a text and the weights beside it, as every verb reads them again.
#pragma once

#include <string>
#include <vector>

#include <rnnc/model.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

namespace rnnc::tools {

/// Returns the files that may have the weights of a text, model.rnn, the usual one first: model.safetensors, and
/// model_weights.safetensors, which import writes where the first is the state_dict that it reads.
std::vector<std::string> weights_beside(const std::string& text);

/// Writes the weights and then the text, so that a text which is there has its weights. Errors: File, Limit.
Result<void> write_model(const std::string& text, const Model& model, const std::string& weights,
                         const TensorMap& tensors);

}  // namespace rnnc::tools
