// The node tests of ONNX for RNN, GRU and LSTM, at a hundredth of their own tolerance: interpreted,
// and compiled.
#include <cmath>
#include <filesystem>
#include <set>
#include <string>

#include <rnnc/import.hpp>

#include "import/onnx/graph.hpp"
#include "import/read_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_imported.hpp"

namespace rnnc::test {
namespace {

#ifdef RNNC_ONNX_TEST_DATA
const std::string kFolder = RNNC_ONNX_TEST_DATA "/node/";
#else
const std::string kFolder = "";
#endif

constexpr double kRelative = 1e-5, kAbsolute = 1e-7;

std::vector<std::byte> read(const std::string& path) { return files::read_file(path, 1 << 24).value(); }
std::string_view text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
Tensor read_tensor(const std::string& path) {
  const std::vector<std::byte> content = read(path);
  const files::TensorView view = files::parse_onnx_tensor(text(content), path, {});
  return {view.type, view.shape, {view.bytes.begin(), view.bytes.end()}};
}

// [B, T, ...] to [T, B, ...].
Tensor time_first(const Tensor& tensor) {
  const std::vector<float> from = tensor.to_f32();
  const std::int64_t B = tensor.shape[0], T = tensor.shape[1], rest = tensor.elements() / (B * T);
  std::vector<float> to(from.size());
  for (std::int64_t b = 0; b < B; ++b)
    for (std::int64_t t = 0; t < T; ++t)
      for (std::int64_t k = 0; k < rest; ++k)
        to[static_cast<std::size_t>((t * B + b) * rest + k)] = from[static_cast<std::size_t>((b * T + t) * rest + k)];
  return Tensor::from_f32({T, B, rest}, to);
}

template <class Values>
double worst(const Values& found, const std::vector<float>& expected) {
  REQUIRE(found.size() == expected.size());
  double result = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double most = kAbsolute + kRelative * std::fabs(expected[i]);
    const double error = std::fabs(found[i] - expected[i]) / most;
    REQUIRE_FALSE(std::isnan(error));
    result = std::max(result, error);
  }
  return result;
}

const ir::Vector& final_h(const ir::NamedVectors& finals) {
  for (const auto& [name, values] : finals)
    if (name.ends_with(".h")) return values;
  FAIL("there is no state h");
  return finals.begin()->second;
}

void check_node(const std::string& name) {
  const std::string folder = kFolder + name + "/", data = folder + "test_data_set_0/";
  const std::vector<std::byte> content = read(folder + "model.onnx");
  const files::OnnxModel onnx = files::parse_onnx(text(content), name, {});
  CHECK(import_model(content, name).error().message.find("its weights are the graph input \"W\"; give them by") !=
        std::string::npos);
  ImportOptions options;
  for (std::size_t i = 1; i < onnx.graph.inputs.size(); ++i)
    options.inputs[onnx.graph.inputs[i]] = read_tensor(data + "input_" + std::to_string(i) + ".pb");
  const Imported imported = import_model(content, name, options).value();
  // A command gives lists of numbers, whose shapes the file has.
  ImportOptions lists = options;
  for (auto& [input, tensor] : lists.inputs) tensor.shape = {tensor.elements()};
  const Imported same = import_model(content, name, lists).value();
  CHECK(same.model.text() == imported.model.text());
  CHECK(same.weights.size() == imported.weights.size());
  for (const auto& [weight, tensor] : same.weights) {
    CHECK(tensor.shape == imported.weights.at(weight).shape);
    CHECK(tensor.bytes == imported.weights.at(weight).bytes);
  }
  const bool batch_first = name.ends_with("batchwise");
  Tensor x = read_tensor(data + "input_0.pb");
  if (batch_first) x = time_first(x);
  const std::vector<float> values = x.to_f32();
  ir::NamedVectors finals;
  const ir::Vector y = interpret_imported(imported, {values.begin(), values.end()}, x.shape[0], x.shape[1], finals);
  ir::NamedVectors compiled_finals;
  const auto compiled = run_imported(imported, values, x.shape[0], x.shape[1], "host", compiled_finals);
  for (std::size_t i = 0; i < onnx.graph.outputs.size(); ++i) {
    INFO(onnx.graph.outputs[i]);
    Tensor expected = read_tensor(data + "output_" + std::to_string(i) + ".pb");
    const bool is_sequence = expected.shape.size() == 4;
    if (is_sequence && batch_first) expected = time_first(expected);
    CHECK(worst(i == 0 ? y : final_h(finals), expected.to_f32()) <= 1);
    CHECK((i == 0 ? worst(compiled, expected.to_f32()) : worst(final_h(compiled_finals), expected.to_f32())) <= 1);
  }
}

}  // namespace

TEST_CASE("ONNX's node tests of RNN, GRU and LSTM pass at rtol 1e-5", "[conformance][import]") {
  if (kFolder.empty()) {
    WARN("skipped: RNNC_ONNX_TEST_DATA was not found when this was configured");
    return;
  }
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder))
    for (const std::string start : {"test_rnn_", "test_simple_rnn_", "test_gru_", "test_lstm_"})
      if (entry.path().filename().string().starts_with(start)) names.insert(entry.path().filename().string());
  CHECK(names.size() == 12);
  for (const std::string& name : names) {
    INFO(name);
    check_node(name);
  }
}

}  // namespace rnnc::test
