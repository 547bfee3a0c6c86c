// This header writes the files that the examples of the command line's help name.
#pragma once

#include <filesystem>
#include <string>

#include <rnnc/model.hpp>

#include "tests/support/random.hpp"
#include "tests/support/run_cell.hpp"
#include "tests/tools/program.hpp"

namespace rnnc::test {

inline constexpr int kExampleInput = 4, kExampleHidden = 5;

inline void save_weights_of(const Folder& folder, const std::string& cell) {
  const ir::Cell bound = standard(cell, kExampleInput, kExampleHidden);
  save_safetensors(folder / (cell + ".safetensors"), tensors_of(bound, random_weights(bound, 1))).value();
}

// Tensors of a torch module, whose names begin with `prefix`.
inline void add_module(TensorMap& tensors, const std::string& prefix, const std::string& suffix, std::int64_t rows,
                       const std::vector<std::pair<std::string, std::int64_t>>& matrices) {
  for (const auto& [name, columns] : matrices) {
    const bool is_bias = columns == 0;
    const Shape shape = is_bias ? Shape{rows} : Shape{rows, columns};
    tensors[prefix + name + suffix] =
        Tensor::from_f32(shape, std::vector<float>(static_cast<std::size_t>(rows * (is_bias ? 1 : columns)), 0.25f));
  }
}

inline void fill_example_files(const Folder& folder) {
  constexpr std::int64_t kSteps = 7, kBatch = 3;  // those that model.onnx fixes
  folder.write("lstm.rnn", standard_cell("lstm").value().text());
  folder.write("voice.rnn", "network voice { input x : seq f32[4] output x output energy = sum(x * x) }");
  folder.write("pair.rnn",
               "cell count { state n : f32 n' = n + 1 output n' }\n"
               "network pair { input x : seq f32[4] d = count() steps S output x output counts = d }");
  save_weights_of(folder, "lstm");
  save_weights_of(folder, "gru");
  folder.write("x.npy", {kSteps, kBatch, kExampleInput},
               std::vector<float>(static_cast<std::size_t>(kSteps * kBatch * kExampleInput), 0.5f));
  folder.write("h.npy", {kBatch, kExampleHidden}, std::vector<float>(kBatch * kExampleHidden, 0.5f));
  Tensor lengths{ElementType::I32, {kBatch}, std::vector<std::byte>(4 * kBatch)};
  lengths.bytes[0] = std::byte{2};
  lengths.bytes[4] = std::byte{3};
  lengths.bytes[8] = std::byte{7};
  save_npy(folder / "n.npy", lengths).value();
  std::filesystem::copy_file(std::string(RNNC_SOURCE_DIR) + "/tests/conformance/onnx/chains/torch_two_layers.onnx",
                             folder / "model.onnx");
  REQUIRE(folder.rnnc("run model.onnx --input x.npy --output expected.npy").code == 0);
  REQUIRE(folder.rnnc("run lstm.rnn --input x.npy --state h=h.npy --output want.npy --final-state c=ch.npy").code == 0);
  TensorMap encoder, tagger;
  add_module(encoder, "", "_l0", 3 * kExampleHidden,
             {{"weight_ih", kExampleInput}, {"weight_hh", kExampleHidden}, {"bias_ih", 0}, {"bias_hh", 0}});
  add_module(tagger, "lstm.", "_l0", 4 * kExampleHidden,
             {{"weight_ih", kExampleInput}, {"weight_hh", kExampleHidden}, {"bias_ih", 0}, {"bias_hh", 0}});
  add_module(tagger, "fc.", "", 7, {{"weight", kExampleHidden}, {"bias", 0}});
  save_safetensors(folder / "encoder.safetensors", encoder).value();
  save_safetensors(folder / "tagger.safetensors", tagger).value();
}

}  // namespace rnnc::test
