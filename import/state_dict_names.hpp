// The tensors of a state_dict get the names that torch.nn.RNN, LSTM, GRU and Linear alone give them: wrappers that put
// a module into another one leave their names in front, cells lack the number of a layer, weight norms and dropped
// weights are kept in parts. What is under none of these names stays as it is.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "import/safetensors.hpp"

namespace rnnc::files {

/// The first tensor of every recurrent module.
inline constexpr std::string_view kFirstWeight = "weight_ih_l0";

/// Returns the name of a module or the beginning of a name without `module.` (DataParallel) and `_orig_mod.`
/// (torch.compile), which may stand in front of any part.
std::string plain_path(std::string_view path);

/// Returns the name of a tensor without its wrappers. Parts of a weight norm end in _g and _v, in both of PyTorch's
/// namings, and the weight that a weight drop thins out in _raw.
std::string plain_name(std::string_view name);

struct PlainTensors {
  TensorViews tensors;                         // by plain names; weight norms are computed
  std::map<std::string, std::string> in_file;  // the names that the file has, by plain names
  std::map<std::string, std::string> faults;   // why the numbers of a tensor cannot be read, by plain names
};

/// Renames all tensors, and makes integers floats (state_dict_scales.hpp). Throws Refusal where two tensors get the
/// same name.
PlainTensors with_plain_names(const TensorViews& tensors, std::string_view file);

}  // namespace rnnc::files
