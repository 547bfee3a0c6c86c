// These tests have what the node tests of ONNX miss, compared with NumPy (onnx/make_data.py): every direction with
// random weights, lengths that differ, states, clip, input_forget, linear_before_reset, each activation, layout 1, and
// models without biases.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>

#include <rnnc/import.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/run_imported.hpp"

namespace rnnc::test {
namespace {

const std::string kFolder = RNNC_SOURCE_DIR "/tests/conformance/onnx/";
constexpr double kMost = 2e-6;

ir::Vector doubles(const Tensor& tensor) {
  ir::Vector values(static_cast<std::size_t>(tensor.elements()));
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

// h of all directions, [D, B, H].
ir::Vector final_h(const ir::NamedVectors& finals) {
  ir::Vector forward, backward;
  for (const auto& [name, values] : finals) {
    if (!name.ends_with(".h")) continue;
    (name.find("_bwd.") != std::string::npos ? backward : forward) = values;
  }
  forward.insert(forward.end(), backward.begin(), backward.end());
  return forward;
}

// Of every model of a folder. Interpreted, and compiled.
std::size_t check_folder(const std::string& folder) {
  const TensorMap data = load_safetensors(kFolder + folder + "/data.safetensors").value();
  std::size_t cases = 0;
  for (const auto& [key, x] : data) {
    if (!key.ends_with(".x")) continue;
    const std::string name = folder + "/" + key.substr(0, key.size() - 2);
    INFO(name);
    const Result<Imported> imported = import_model_file(kFolder + name + ".onnx");
    if (!imported) INFO(imported.error().to_string());
    REQUIRE(imported.ok());
    const std::vector<float> values = x.to_f32();
    const ir::Vector expected = doubles(data.at(key.substr(0, key.size() - 2) + ".y"));
    const std::int64_t steps = x.shape[0], batch = x.shape[1];
    const double error =
        largest_difference(interpret_imported(*imported, {values.begin(), values.end()}, steps, batch), expected);
    CHECK(error <= kMost);
    CHECK(largest_difference(run_imported(*imported, values, steps, batch, "host"), expected) <= kMost);
    if (std::getenv("RNNC_PRINT_ERRORS") != nullptr) std::printf("| %s | %.1e |\n", name.c_str(), error);
    ++cases;
  }
  return cases;
}

}  // namespace

// Interpreted, and compiled.
TEST_CASE("RNN, GRU and LSTM of ONNX give NumPy's numbers with every attribute", "[conformance][import]") {
  const TensorMap data = load_safetensors(kFolder + "data.safetensors").value();
  std::size_t cases = 0;
  for (const auto& [key, x] : data) {
    if (!key.ends_with(".x")) continue;
    const std::string name = key.substr(0, key.size() - 2);
    INFO(name);
    const Imported imported = import_model_file(kFolder + name + ".onnx").value();
    const std::vector<float> values = x.to_f32();
    ir::NamedVectors finals;
    const ir::Vector y = interpret_imported(imported, {values.begin(), values.end()}, x.shape[0], x.shape[1], finals);
    const double error = largest_difference(y, doubles(data.at(name + ".y")));
    const double final_error = largest_difference(final_h(finals), doubles(data.at(name + ".h")));
    CHECK(error <= kMost);
    CHECK(final_error <= kMost);
    ir::NamedVectors compiled_finals;
    const auto compiled = run_imported(imported, values, x.shape[0], x.shape[1], "host", compiled_finals);
    CHECK(largest_difference(compiled, doubles(data.at(name + ".y"))) <= kMost);
    CHECK(largest_difference(final_h(compiled_finals), doubles(data.at(name + ".h"))) <= kMost);
    if (std::getenv("RNNC_PRINT_ERRORS") != nullptr)
      std::printf("| %s | %.1e |\n", name.c_str(), std::max(error, final_error));
    ++cases;
  }
  CHECK(cases >= 40);
}

// Graphs of several nodes (onnx/make_chains.py): what exporters put before, between and behind recurrent nodes, and
// weights that are made of others.
TEST_CASE("chains of ONNX nodes give NumPy's numbers", "[conformance][import]") { CHECK(check_folder("chains") >= 36); }

// onnx/make_fronts.py.
TEST_CASE("graphs that are easily read wrong give NumPy's numbers", "[conformance][import]") {
  CHECK(check_folder("fronts") == 33);
}

TEST_CASE("a convolution writes its matrix once, and places at the edges take columns of it", "[import]") {
  const Imported imported = import_model_file(kFolder + "fronts/convolutions_in_a_row.onnx").value();
  const std::string text = imported.model.text();
  INFO(text);
  for (const char* part : {"param W4 : f32[2, 25]", "W4[0:2, 15:25] @ concat(v5, v6)\n",
                           "W4[0:2, 5:25] @ concat(v5, v6, v7, v8)\n", "W4[0:2, 0:20] @ concat(v5, v6, v7, v8)\n"})
    CHECK(text.find(part) != std::string::npos);
}

TEST_CASE("channels by themselves are no products, and what is small is computed together", "[import]") {
  const Imported imported = import_model_file(kFolder + "fronts/channels_apart.onnx").value();
  const std::string text = imported.model.text();
  INFO(text);
  std::size_t products = 0;
  for (std::size_t at = text.find(" @ "); at != std::string::npos; at = text.find(" @ ", at + 1)) ++products;
  CHECK(products == 8);  // one at each place of the last convolution
  CHECK(text.find("tanh(concat(v4, v5, v6, v7, v8, v9, v10, v11))\n") != std::string::npos);
}

// onnx/make_quantized.py.
TEST_CASE("quantised ONNX files give the numbers of the weights that their integers stand for",
          "[conformance][import]") {
  CHECK(check_folder("quantized") == 16);
}

TEST_CASE("what a graph computes behind the ends of sequences comes with its model", "[conformance][import]") {
  const TensorMap data = load_safetensors(kFolder + "fronts/data.safetensors").value();
  const Imported imported = import_model_file(kFolder + "fronts/lengths_then_dense.onnx").value();
  CHECK(largest_difference(imported.behind_the_end, doubles(data.at("lengths_then_dense.row"))) <= 1e-7);
  CHECK(import_model_file(kFolder + "fronts/turned_round.onnx").value().behind_the_end.empty());
}

// onnx/random_graphs.py, whose --rnnc compares as many others with ONNX Runtime.
TEST_CASE("random ONNX graphs give NumPy's numbers", "[conformance][import]") { CHECK(check_folder("random") == 40); }

// onnx/export_torch.py: with a batch that is fixed in the file, and one that is not.
TEST_CASE("what PyTorch exports gives the numbers of its modules", "[conformance][import]") {
  CHECK(check_folder("exported") == 18);
  const Imported layers = import_model_file(kFolder + "exported/two_layers_any_batch.onnx").value();
  CHECK(layers.model.text().find("from (") == std::string::npos);  // its states are zeros
}

TEST_CASE("a recurrent node inside an If is imported alone, and else named", "[conformance][import]") {
  const TensorMap data = load_safetensors(kFolder + "data.safetensors").value();
  for (const std::string name : {"lstm_forward", "lstm_reverse"}) {
    INFO(name);
    const Imported imported = import_model_file(kFolder + "nested_in_if.onnx", {.node = name}).value();
    const Tensor& x = data.at(name + ".x");
    const std::vector<float> values = x.to_f32();
    ir::NamedVectors finals;
    const ir::Vector y = interpret_imported(imported, {values.begin(), values.end()}, x.shape[0], x.shape[1], finals);
    CHECK(largest_difference(y, doubles(data.at(name + ".y"))) <= kMost);
    CHECK(largest_difference(final_h(finals), doubles(data.at(name + ".h"))) <= kMost);
  }
  const std::string whole = import_model_file(kFolder + "nested_in_if.onnx").error().message;
  CHECK(whole.find("can be imported alone, by --node or ImportOptions::node: \"lstm_reverse\", \"lstm_forward\"") !=
        std::string::npos);
  const std::string other = import_model_file(kFolder + "nested_in_if.onnx", {.node = "gru"}).error().message;
  CHECK(other.find("there is no recurrent node \"gru\"; there are: \"lstm_reverse\"") != std::string::npos);
}

}  // namespace rnnc::test
