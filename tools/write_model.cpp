#include "tools/write_model.hpp"

#include <span>

#include <rnnc/tensor_files.hpp>

#include "import/write_file.hpp"

namespace rnnc::tools {

std::vector<std::string> weights_beside(const std::string& text) {
  const std::string stem = text.substr(0, text.size() - std::string_view(".rnn").size());
  return {stem + ".safetensors", stem + "_weights.safetensors"};
}

Result<void> write_model(const std::string& text, const Model& model, const std::string& weights,
                         const TensorMap& tensors) {
  if (const auto saved = save_safetensors(weights, tensors); !saved) return saved.error();
  const std::string written = model.text();
  return files::write_file(text, {std::as_bytes(std::span(written))});
}

}  // namespace rnnc::tools
