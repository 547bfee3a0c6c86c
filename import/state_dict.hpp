// PyTorch's state_dict of torch.nn.RNN, LSTM or GRU, and of Linear behind them, becomes a model.
#pragma once

#include <string_view>

#include <rnnc/import.hpp>
#include "import/json_value.hpp"
#include "import/safetensors.hpp"

namespace rnnc::files {

/// Imports a state_dict. Throws Refusal.
Imported import_state_dict(const TensorViews& tensors, std::string_view file, const ImportOptions& options);

/// These read a state_dict in JSON, as RTNeural's scripts write it: numbers by name, in rows if a tensor has two dims.
bool is_json_state_dict(const JsonValue& root);
TensorViews view_json_state_dict(const JsonValue& root);  // throws Refusal

}  // namespace rnnc::files
