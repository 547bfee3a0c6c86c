// Models that others have published give what TensorFlow Lite's own kernels give (tflite/run_kernels.js), where
// RNNC_MODELS is a folder that has them: docs/reliability.md lists its DTLN and tflite-micro among others. Models in
// other formats are in published/.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include <rnnc/import.hpp>
#include <rnnc/tensor_files.hpp>

#include "compiler/llvm/resolve_target.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_imported.hpp"

namespace rnnc::test {
namespace {

const std::string kNumbers = RNNC_SOURCE_DIR "/tests/conformance/tflite/real/";

// "" where there is none; the test is then skipped.
std::string model(const std::string& name) {
  const char* folder = std::getenv("RNNC_MODELS");
  const std::string path = folder == nullptr ? "" : std::string(folder) + "/" + name;
  if (!path.empty() && std::filesystem::exists(path)) return path;
  WARN("skipped: RNNC_MODELS names no folder that has " << name);
  return "";
}

// The input of run_kernels.js: whole numbers from 0 to 128, less `middle`, by a scale.
std::vector<float> input(std::int64_t steps, std::int64_t features, double middle, double scale) {
  std::vector<float> x;
  for (std::int64_t t = 0; t < steps; ++t)
    for (std::int64_t k = 0; k < features; ++k)
      x.push_back(static_cast<float>((static_cast<double>((31 * t + 17 * k) % 129) - middle) * scale));
  return x;
}

}  // namespace

TEST_CASE("DTLN and its forms of 8 bits give the numbers of TensorFlow Lite", "[conformance][import]") {
  struct Case {
    std::string path;
    std::map<std::string, std::string> carried;
    double middle, scale, most, mean;
  };
  // The kernels round activations to 8 bits where weights have 8 bits, and rnnc does not: the largest difference is the
  // price of that, and a wrong reading would show in the mean.
  const Case one = GENERATE(values<Case>({
      {"DTLN/model_1.tflite", {{"input_3", "Identity_1"}}, 64, 1.0 / 64, 1e-5, 1e-6},
      {"DTLN/model_2.tflite", {{"input_5", "Identity_1"}}, 64, 1.0 / 64, 1e-5, 1e-6},
      {"DTLN/model_quant_1.tflite", {{"input_3", "Identity_1"}}, 64, 1.0 / 64, 0.02, 0.005},
      {"DTLN/model_quant_2.tflite", {{"input_5", "Identity_1"}}, 64, 1.0 / 64, 0.02, 0.005},
      {"tflite-micro/dtln_noise_suppression.tflite", {}, 0, 0.06857891380786896, 0.3, 0.02},
  }));
  const std::string path = model(one.path);
  if (path.empty()) return;
  INFO(path);
  const Imported imported = import_model_file(path, {.carried = one.carried}).value();
  const std::string stem = std::filesystem::path(path).stem().string();
  const std::vector<float> y = load_npy(kNumbers + stem + ".y.npy").value().to_f32();
  const auto features = static_cast<std::int64_t>(y.size()) / 6;
  const std::vector<float> x = input(6, features, one.middle, one.scale);
  const ir::Vector interpreted = interpret_imported(imported, {x.begin(), x.end()}, 6, 1);
  REQUIRE(largest_difference(interpreted, y) <= one.most);
  double sum = 0;
  for (std::size_t i = 0; i < y.size(); ++i) sum += std::fabs(interpreted[i] - static_cast<double>(y[i]));
  CHECK(sum / static_cast<double>(y.size()) <= one.mean);
  CHECK(largest_difference(run_imported(imported, x, 6, 1, compiler::runnable_levels().back()), y) <= one.most);
}

TEST_CASE("a classifier of bytes gives the numbers that its file of examples has", "[conformance][import]") {
  const std::string path = model("tract/byte_sb_bidi_lstm/model.onnx");
  if (path.empty()) return;
  const TensorMap example = load_tensors(std::filesystem::path(path).replace_filename("io.npz").string()).value();
  const Imported imported = import_model_file(path).value();
  const Tensor bytes = example.at("input"), expected = example.at("Add_26");  // [B,T] and [B,T,2]
  const std::int64_t B = bytes.shape[0], T = bytes.shape[1];
  REQUIRE(expected.shape == Shape{B, T, 2});
  const std::vector<float> tokens = bytes.to_f32(), numbers = expected.to_f32();
  std::vector<float> x, y;
  for (std::int64_t t = 0; t < T; ++t)
    for (std::int64_t b = 0; b < B; ++b) {
      const auto at = static_cast<std::size_t>(b * T + t);
      x.push_back(tokens[at]);
      y.insert(y.end(), {numbers[2 * at], numbers[2 * at + 1]});
    }
  CHECK(largest_difference(interpret_imported(imported, {x.begin(), x.end()}, T, B), y) <= 1e-5);
  CHECK(largest_difference(run_imported(imported, x, T, B, compiler::runnable_levels().back()), y) <= 1e-5);
}

TEST_CASE("the classifier of TensorFlow Lite Micro makes one vector of its steps: its LSTM is read alone", "[import]") {
  const std::string path = model("tflite-micro/trained_lstm.tflite");
  if (path.empty()) return;
  const auto whole = import_model_file(path);
  REQUIRE_FALSE(whole.ok());
  CHECK(whole.error().message.find("multiplies along a dimension that is not the features: [1,T*20]") !=
        std::string::npos);
  const auto alone = import_model_file(path, {.node = "tfl.unidirectional_sequence_lstm"});
  REQUIRE(alone.ok());
  CHECK(alone.value().model.text().find("clip(f * c + i * g, -10, 10)") != std::string::npos);
}

}  // namespace rnnc::test
