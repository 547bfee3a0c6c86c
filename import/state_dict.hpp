// PyTorch's state_dict of torch.nn.RNN, LSTM or GRU.
#pragma once

#include <string_view>

#include <rnnc/import.hpp>
#include "import/safetensors.hpp"

namespace rnnc::files {

/// Throws Refusal.
Imported import_state_dict(const TensorViews& tensors, std::string_view file, const ImportOptions& options);

}  // namespace rnnc::files
