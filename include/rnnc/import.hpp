// Models as other programs write them: ONNX, PyTorch's state_dict in safetensors or JSON, and the JSON of RTNeural,
// GuitarML and NAM. A reader gives the model's own numbers or an error that names what it cannot do; it ignores
// nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rnnc/export.hpp>
#include <rnnc/model.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>
#include <rnnc/tensor_files.hpp>

namespace RNNC_API rnnc {

struct Imported {
  Model model;        // one network, or else one cell; the text has numbers for all dims
  TensorMap weights;  // by the names of its parameters, f32
  // What ImportOptions::inputs say of graph inputs that are no weights.
  TensorMap states = {};                   // by our names, [B, H], as of `rnnc run --state`
  std::vector<std::int32_t> lengths = {};  // [B]; empty where they are not given
  std::vector<std::string> inputs = {};    // the names that ImportOptions::inputs may have
};

struct ImportOptions {
  FileLimits limits = {};
  TensorMap inputs = {};  // values of an ONNX graph's inputs by their names there, in their ONNX shapes
  std::string node = {};  // of ONNX: the recurrent node to import alone, wherever in the model it stands
  // Of the module in a PyTorch state_dict, where there are several or others beside it. Several, with commas, run one
  // behind the other: recurrent ones and torch.nn.Linear.
  std::string prefix = {};
  bool relu = false;  // of a state_dict that is torch.nn.RNN's: its nonlinearity, which it does not say, is not tanh
};

/// What a file holds, judged by its content.
enum class FileFormat { Text, Json, Safetensors, Onnx };

FileFormat format_of(std::span<const std::byte> content);

/// Errors    InvalidData where the file is malformed or contradicts itself; Unsupported where it is neither and this
/// version
///           cannot do it; Limit; File. `file` is its name in messages.
Result<Imported> import_model(std::span<const std::byte> content, std::string_view file = "<memory>",
                              const ImportOptions& options = {});
Result<Imported> import_model_file(const std::string& path, const ImportOptions& options = {});

}  // namespace rnnc
