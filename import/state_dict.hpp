// PyTorch's state_dict of torch.nn.RNN, LSTM or GRU, and of Linear behind them.
#pragma once

#include <string_view>

#include <rnnc/import.hpp>
#include "import/json_value.hpp"
#include "import/safetensors.hpp"

namespace rnnc::files {

/// Throws Refusal.
Imported import_state_dict(const TensorViews& tensors, std::string_view file, const ImportOptions& options);

/// The same as JSON, as RTNeural's scripts write it: numbers by name, in rows where a tensor has two dims.
bool is_json_state_dict(const JsonValue& root);
TensorViews view_json_state_dict(const JsonValue& root);  // throws Refusal

}  // namespace rnnc::files
