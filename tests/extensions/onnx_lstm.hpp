// A standard cell with weights as the attributes of our operator, and the weights of an LSTM as those of ONNX's.
#pragma once

#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <rnnc/model.hpp>
#include <rnnc/tensor_files.hpp>

#include "tests/support/onnx_file.hpp"
#include "tests/support/run_cell.hpp"
#include "tests/support/temporary_folder.hpp"

namespace rnnc::test {

inline std::string model_attributes(const std::string& name, const ir::Cell& cell, const Weights& weights) {
  const TemporaryFolder folder;
  save_safetensors(folder / "w.safetensors", tensors_of(cell, weights)).value();
  std::ifstream file(folder / "w.safetensors", std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  return onnx::text("model", standard_cell(name).value().text()) + onnx::text("weights", content);
}

/// The initializers w, r and b: ONNX's gates are i o f c, and its biases those of w and those of r.
inline std::string onnx_lstm_weights(const Weights& weights, std::int64_t input, std::int64_t hidden) {
  std::vector<float> w, r, b;
  for (const std::string gate : {"i", "o", "f", "g"})
    for (const auto& [to, name] : {std::pair(&w, "W"), std::pair(&r, "U"), std::pair(&b, "b")})
      to->insert(to->end(), weights.at(name + gate).begin(), weights.at(name + gate).end());
  b.resize(static_cast<std::size_t>(8 * hidden), 0);
  const auto initializer = [](const std::string& name, const onnx::Dims& dims, const std::vector<float>& values) {
    return onnx::bytes(5, onnx::tensor(name, dims, onnx::raw(values)));
  };
  return initializer("w", {1, 4 * hidden, input}, w) + initializer("r", {1, 4 * hidden, hidden}, r) +
         initializer("b", {1, 8 * hidden}, b);
}

}  // namespace rnnc::test
