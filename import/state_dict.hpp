// PyTorch's state_dict of torch.nn.RNN, LSTM or GRU, and of Linear behind them, becomes a model.
#pragma once

#include <optional>
#include <string_view>

#include <rnnc/import.hpp>
#include "import/json_value.hpp"
#include "import/safetensors.hpp"

namespace rnnc::files {

/// Imports a state_dict. Throws Refusal.
Imported import_state_dict(const TensorViews& tensors, std::string_view file, const ImportOptions& options);

// These read a state_dict in JSON, as RTNeural's scripts write it: numbers by name, in rows if a tensor has two dims.

/// Returns the state_dict in a file: the root itself, or the only state_dict among its values, as in a checkpoint whose
/// other values say how training went. Throws Refusal where there are several.
std::optional<JsonValue> find_json_state_dict(const JsonValue& root);

/// Reads the tensors of the modules that `prefix` names, as in ImportOptions; all of them where it is empty. Throws
/// Refusal.
TensorViews view_json_state_dict(const JsonValue& root, std::string_view prefix);

}  // namespace rnnc::files
