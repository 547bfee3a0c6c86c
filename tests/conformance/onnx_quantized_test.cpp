// Models of ONNX Runtime's quantize_dynamic and quantize_static (onnx/make_quantized.py): how near their numbers are to
// ONNX Runtime's own, and that --weights-as w8 multiplies the file's very integers.
#include <string>

#include <rnnc/import.hpp>
#include <rnnc/program.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/packed_row.hpp"
#include "tests/support/run_imported.hpp"

namespace rnnc::test {
namespace {

const std::string kFolder = RNNC_SOURCE_DIR "/tests/conformance/onnx/quantized/";

TensorMap data() { return load_safetensors(kFolder + "data.safetensors").value(); }

// The part of a tensor [D, rows, columns] that is a row.
std::vector<int> integers_of_row(const Tensor& tensor, std::int64_t row) {
  const std::vector<float> values = tensor.to_f32();
  const auto begin = values.begin() + row * tensor.shape[2];
  return {begin, begin + tensor.shape[2]};
}

}  // namespace

// ONNX Runtime rounds activations to 8 bits, by one scale for all of a call.
TEST_CASE("quantised ONNX files differ from ONNX Runtime by its rounding of activations", "[conformance][import]") {
  const TensorMap all = data();
  int cases = 0;
  for (const auto& [key, found] : all) {
    if (!key.ends_with(".ort")) continue;
    const std::string name = key.substr(0, key.size() - 4);
    INFO(name);
    const Tensor& x = all.at(name + ".x");
    const Imported imported = import_model_file(kFolder + name + ".onnx").value();
    const auto y = run_imported(imported, x.to_f32(), x.shape[0], x.shape[1], "host");
    CHECK(largest_difference(y, found.to_f32()) <= (name == "lstm_static_16" ? 5e-5 : 0.04));
    ++cases;
  }
  CHECK(cases == 16);
}

TEST_CASE("with w8 an LSTM of quantize_dynamic multiplies the integers of its file",
          "[conformance][import][integers]") {
  const TensorMap all = data();
  for (const std::string name : {"lstm_dynamic", "lstm_dynamic_rows"}) {
    const Imported imported = import_model_file(kFolder + name + ".onnx").value();
    int rows = 0;
    for (const char* kind : {"W", "R"})
      for (std::int64_t d = 0; d < 2; ++d)
        for (std::int64_t gate = 0; gate < 4; ++gate) {
          const std::string own =
              std::string(d == 0 ? "layer_fwd." : "layer_bwd.") + (kind[0] == 'W' ? "W" : "U") + "iofg"[gate];
          INFO(name << ' ' << own);
          const Tensor& weights = imported.weights.at(own);
          const std::int64_t H = weights.shape[0], columns = weights.shape[1];
          const std::vector<float> values = weights.to_f32(), scales = all.at(name + "." + kind + "_scale").to_f32();
          for (std::int64_t h = 0; h < H; ++h, ++rows) {
            const std::int64_t row = (d * 4 + gate) * H + h;
            const auto begin = values.begin() + h * columns;
            CHECK(keeps_integers({begin, begin + columns}, integers_of_row(all.at(name + "." + kind), row),
                                 scales[static_cast<std::size_t>(row)]));
          }
        }
    CHECK(rows == 2 * 2 * 4 * 6);
  }
}

// The scale of such a product is a factor behind it.
TEST_CASE("a MatMulInteger keeps its integers as the weights", "[conformance][import][integers]") {
  const Imported imported = import_model_file(kFolder + "gru_dynamic.onnx").value();
  for (const float weight : imported.weights.at("W").to_f32()) CHECK(weight == std::round(weight));
  CHECK(imported.model.text().find("v = W @ layer\n  v2 = v * k\n") != std::string::npos);
  CHECK(imported.leaves_unrounded);
}

TEST_CASE("a DequantizeLinear behind the QuantizeLinear of its scale leaves the clipping", "[conformance][import]") {
  const std::string text = import_model_file(kFolder + "lstm_static.onnx").value().model.text();
  CHECK(text.find("  v = max(layer, -0.5773215)\n  v2 = min(v, 0.659796)\n  v3 = W @ v2\n") != std::string::npos);
}

TEST_CASE("a quantised LSTM is imported alone by --node", "[conformance][import]") {
  const Imported imported = import_model_file(kFolder + "lstm_dynamic_shifted.onnx", {.node = "layer_quant"}).value();
  CHECK(imported.model.text().find("layer = lstm<H=") != std::string::npos);
}

}  // namespace rnnc::test
