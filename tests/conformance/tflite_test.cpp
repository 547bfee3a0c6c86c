// Models of TensorFlow Lite give what their equations give in NumPy (tflite/make_models.py), and damaged or foreign
// ones are refused in words.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include <rnnc/import.hpp>
#include <rnnc/tensor_files.hpp>

#include "compiler/llvm/resolve_target.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_imported.hpp"

namespace rnnc::test {
namespace {

const std::string kFolder = RNNC_SOURCE_DIR "/tests/conformance/tflite/";

std::string content_of(const std::string& name) {
  std::ifstream file(kFolder + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Result<Imported> import_bytes(const std::string& content) {
  return import_model(std::as_bytes(std::span(content)), "m.tflite");
}

}  // namespace

TEST_CASE("models of TensorFlow Lite give NumPy's numbers", "[conformance][import]") {
  const std::string name = GENERATE("clipped", "coupled", "both_ways", "hybrid", "convolved", "stepped", "operators",
                                    "looped_gru", "looped_rnn", "upsampled", "apart", "labelled", "compared",
                                    "normalised", "two_rows", "two_lists", "tokens", "repeated");
  INFO(name);
  const Result<Imported> imported = import_model_file(kFolder + name + ".tflite");
  const Tensor x = load_npy(kFolder + name + ".x.npy").value(), y = load_npy(kFolder + name + ".y.npy").value();
  ir::Vector wanted(static_cast<std::size_t>(y.elements()));
  std::memcpy(wanted.data(), y.bytes.data(), y.bytes.size());
  // Constants such as 1/6 are of f32 in a text, whose rounding is relative.
  const double scale =
      std::max(1.0, std::abs(*std::ranges::max_element(wanted, {}, [](double v) { return std::abs(v); })));
  const std::vector<float> values = x.to_f32();
  CHECK(largest_difference(interpret_imported(imported.value(), {values.begin(), values.end()}, x.shape[0], x.shape[1]),
                           wanted) <= 1e-7 * scale);
  for (const std::string& cpu : compiler::runnable_levels())
    CHECK(largest_difference(run_imported(imported.value(), values, x.shape[0], x.shape[1], cpu), wanted) <=
          1e-6 * scale);
}

TEST_CASE("the text of a model of TensorFlow Lite has its bounds, and the names of its signature", "[import]") {
  const Imported imported = import_model_file(kFolder + "clipped.tflite").value();
  const std::string text = imported.model.text();
  for (const char* line : {"  input sound : seq f32[5]\n", "  c' = clip(f * c + i * g, -0.4, 0.4)\n"})
    CHECK(text.find(line) != std::string::npos);
  CHECK(parse(text).value().text() == text);
  const std::string coupled = import_model_file(kFolder + "coupled.tflite").value().model.text();
  CHECK(coupled.find("  i = 1 - f\n") != std::string::npos);
  const std::string normalised = import_model_file(kFolder + "normalised.tflite").value().model.text();
  for (const char* line : {"  o = sigmoid(layer_norm(Wo @ x + Uo @ h + Po * c', No, bo, 1e-08))\n",
                           "  h' = R @ (o * tanh(c'))\n", "  h' = clip(R @ (o * tanh(c')) + r, -0.5, 0.5)\n"})
    CHECK(normalised.find(line) != std::string::npos);
}

TEST_CASE("what a model of TensorFlow Lite has beyond rnnc is refused by its name", "[errors][import]") {
  const auto error = [](const std::string& name) { return import_model_file(kFolder + name).error().message; };
  CHECK(error("projected.tflite")
            .find("operator UNIDIRECTIONAL_SEQUENCE_LSTM: shape mismatch: \"U1\" must be [2,1] but is [2,2]") !=
        std::string::npos);
  CHECK(error("flat_projection.tflite").find("its projection must be [outputs, units]") != std::string::npos);
  CHECK(error("half_normalised.tflite").find("normalises some of its gates, and not the forget gate") !=
        std::string::npos);
  CHECK(error("fused_tanh.tflite").find("operator ADD: has tanh as its activation") != std::string::npos);
  CHECK(error("one_state.tflite").find("shares its state \"s\" with another operator") != std::string::npos);
}

TEST_CASE("a loop of TensorFlow Lite becomes a recurrence, whose text has no rows and no counters", "[import]") {
  const std::string text = import_model_file(kFolder + "looped_gru.tflite").value().model.text();
  CHECK(text.find("  loop_0 = loop_0_cell(x)\n") != std::string::npos);
  CHECK(text.find(" = reverse loop_0_19_cell(loop_0)\n") != std::string::npos);
  CHECK(text.find("  state state_0 : f32[5]\n  state state_1 : f32[5]\n") != std::string::npos);
}

TEST_CASE("a loop of TensorFlow Lite that looks like a recurrence and is none is refused", "[errors][import]") {
  const auto [name, why] = GENERATE(
      std::pair("loop", "operator WHILE: ends by a condition other than a count of its steps, by ones from 0"),
      std::pair("loop_late", "operator WHILE: ends by a condition other than a count of its steps, by ones from 0"),
      std::pair("loop_by_two", "operator WHILE: ends by a condition other than a count of its steps, by ones from 0"),
      std::pair("loop_short", "(Loop): does not run once for each step of a sequence"),
      std::pair("loop_long_rows", "operator WHILE: has in \"no rows\" another number of rows than steps"),
      std::pair("loop_peeks", "operator WHILE: reads \"rows\" in its step"),
      std::pair("loop_counts", "(Loop): computes with the number of its step"),
      std::pair("loop_within", "operator WHILE: is within another loop"));
  INFO(name);
  const auto read = import_model_file(kFolder + name + ".tflite");
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().message.find(why) != std::string::npos);
  const std::string message = read.error().message;
  if (message.find("operator WHILE") != std::string::npos)
    CHECK(message.find("give the Keras model (.keras or .h5) that it was made of") != std::string::npos);
}

TEST_CASE("TensorFlow's own lists and variables are read as a loop and the first call use them", "[errors][import]") {
  const auto [name, why] = GENERATE(
      std::pair("other_row", "operator WHILE: does more with its list \"start0\" than write the row of its step"),
      std::pair("reads_list", "operator WHILE: reads \"rows1\" in its step, besides the row that it writes"),
      std::pair("long_list", "operator WHILE: has in \"start0\" another number of rows than steps"),
      std::pair("in_calls", "operator READ_VARIABLE: reads a variable that is no constant which the first call sets"),
      std::pair("in_branch", "operator READ_VARIABLE: reads a variable that is no constant which the first call sets"),
      std::pair("computed_tokens", "(Cast): casts to other than f32; numbers of tokens may be integers"));
  INFO(name);
  const auto read = import_model_file(kFolder + name + ".tflite");
  REQUIRE_FALSE(read.ok());
  INFO(read.error().message);
  CHECK(read.error().message.find(why) != std::string::npos);
}

TEST_CASE("a recurrent operator of TensorFlow Lite is read alone, with its own constants", "[import]") {
  const Imported whole = import_model_file(kFolder + "clipped.tflite").value();
  const Imported alone = import_model_file(kFolder + "clipped.tflite", {.node = "lstm"}).value();
  CHECK(alone.model.text().find("  c' = clip(f * c + i * g, -0.4, 0.4)\n") != std::string::npos);
  CHECK(alone.weights.size() >= 12);
  for (const auto& [name, tensor] : alone.weights) {
    INFO(name);
    CHECK(tensor.bytes == whole.weights.at(name).bytes);
  }
}

TEST_CASE("a model of TensorFlow Lite is not read like ONNX Runtime, whose Affine would be 0", "[errors][import]") {
  const auto read = import_model_file(kFolder + "clipped.tflite", {.like = OnnxLike::OnnxRuntime});
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().message == "--like is for an ONNX model, which this is not; leave it out");
}

TEST_CASE("a model of TensorFlow Lite that is cut short or damaged is refused", "[errors][import]") {
  for (const std::string name : {"clipped.tflite", "stepped.tflite", "looped_rnn.tflite"}) {
    const std::string whole = content_of(name);
    for (std::size_t size = 9; size + 32 < whole.size(); size += 7) {  // the last bytes may be filling
      const Result<Imported> cut = import_bytes(whole.substr(0, size));
      INFO(name << " of " << size << " bytes");
      REQUIRE_FALSE(cut.ok());
      CHECK(cut.error().place.file == "m.tflite");
    }
    // Each byte in turn may be any other, which makes another model or an error.
    for (std::size_t at = 8; at < whole.size(); at += 7)
      for (const char value : {'\xff', '\x00', '\x7f'}) {
        std::string damaged = whole;
        damaged[at] = value;
        const Result<Imported> other = import_bytes(damaged);
        if (!other) CHECK_FALSE(other.error().message.empty());
      }
  }
}

}  // namespace rnnc::test
