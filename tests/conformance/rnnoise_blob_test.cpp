// Weights of RNNoise 0.2 (rnnoise/make_blobs.py): its network gives the numbers of RNNoise's own program where the file
// has floats, and NumPy's of the floats that integers stand for; w8 multiplies the integers; damaged files are refused.
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>

#include <rnnc/import.hpp>

#include "tests/errors/file_bytes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/packed_row.hpp"
#include "tests/support/run_imported.hpp"

namespace rnnc::test {
namespace {

const std::string kFolder = RNNC_SOURCE_DIR "/tests/conformance/rnnoise/";

ir::Vector doubles(const Tensor& tensor) {
  ir::Vector values(static_cast<std::size_t>(tensor.elements()));
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

std::string blob(const std::string& name) {
  std::ifstream file(kFolder + name + ".bin", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string refusal(const std::string& content) {
  const auto result = import_model(bytes_of(content), "weights_blob.bin");
  return result.ok() ? "none" : result.error().to_string();
}

// The place of an array's head.
std::size_t head_of(const std::string& content, const std::string& name) {
  const std::size_t at = content.find(name + '\0');
  REQUIRE(at != std::string::npos);
  return at - 20;
}

template <class T>
std::string with(std::string content, std::size_t at, T value) {
  std::memcpy(content.data() + at, &value, sizeof value);
  return content;
}

std::string without(std::string content, const std::string& name) {
  const std::size_t at = head_of(content, name);
  std::int32_t block = 0;
  std::memcpy(&block, content.data() + at + 16, sizeof block);
  return content.erase(at, 64 + static_cast<std::size_t>(block));
}

}  // namespace

TEST_CASE("weights of RNNoise 0.2 give its numbers", "[conformance][import]") {
  const TensorMap data = load_safetensors(kFolder + "data.safetensors").value();
  const std::vector<float> x = data.at("x").to_f32();
  for (const std::string name : {"floats", "integers"}) {
    INFO(name);
    const Imported imported = import_model_file(kFolder + name + ".bin").value();
    CHECK(imported.leaves_unrounded == (name == "integers"));
    const auto y = run_imported(imported, x, data.at("x").shape[0], 1, "host");
    CHECK(largest_difference(y, doubles(data.at(name + ".y"))) <= 2e-6);
    // RNNoise rounds what integers multiply to steps of 1/127.
    CHECK(largest_difference(y, doubles(data.at(name + ".c"))) <= (name == "floats" ? 2e-6 : 0.01));
  }
}

TEST_CASE("with w8 the integers of RNNoise are those of its file", "[conformance][import][integers]") {
  const TensorMap data = load_safetensors(kFolder + "data.safetensors").value();
  const Imported imported = import_model_file(kFolder + "integers.bin").value();
  for (const char* gate : {"Uz", "Ur", "Un"}) {
    const Tensor& tensor = data.at(std::string("integers.gru1.") + gate);
    const std::vector<float> integers = tensor.to_f32(),
                             weights = imported.weights.at(std::string("gru1.") + gate).to_f32(),
                             scales = data.at(std::string("integers.gru1.") + gate + "_scale").to_f32();
    const std::int64_t columns = tensor.shape[1];
    for (std::int64_t row = 0; row < tensor.shape[0]; ++row) {
      INFO(gate << " row " << row);
      const auto from = integers.begin() + row * columns, begin = weights.begin() + row * columns;
      CHECK(keeps_integers({begin, begin + columns}, {from, from + columns}, scales[static_cast<std::size_t>(row)]));
    }
  }
}

TEST_CASE("a damaged file of RNNoise 0.2 is refused with the array", "[errors][import]") {
  const std::string good = blob("integers"), file = "weights_blob.bin: ";
  const std::size_t idx = head_of(good, "gru1_input_weights_idx"), scale = head_of(good, "gru2_recurrent_scale"),
                    conv = head_of(good, "conv1_weights_float");
  CHECK(refusal(good) == "none");
  CHECK(refusal(good.substr(0, good.size() - 1)) ==
        file + "vad_dense_bias: has 4 bytes in a block of 64, but the file has 63; copy it again");
  CHECK(refusal(good + "DNNw") ==
        file + "array 43: does not begin with a head of 64 bytes and \"DNNw\"; copy the file again");
  CHECK(refusal(with(good, conv + 4, 1)) == file + "conv1_weights_float: is of version 1; known is 0");
  CHECK(refusal(with(good, conv + 8, 9)) == file + "conv1_weights_float: is of type 9; known are 0 to 3");
  CHECK(refusal(with(good, conv + 12, -4)).starts_with(file + "conv1_weights_float: has -4 bytes in a block of "));
  CHECK(refusal(with(good, conv + 12, 575)) == file + "conv1_weights_float: has 575 bytes, no whole numbers");
  CHECK(refusal(with(good, conv + 12, 572)) ==
        file + "conv1_weights_float: has 143 numbers, not 3 frames for each of 8 outputs");
  CHECK(refusal(with(good, conv + 63, 'x')) == file + "array 0: has a name without an end");
  CHECK(refusal(with(good, scale + 64 + 4, std::numeric_limits<float>::quiet_NaN())) ==
        file + "gru2_recurrent_scale: scale 1 is nan; every scale must be a finite number: quantise the model again");
  CHECK(refusal(with(good, scale + 12, 188)) == file + "gru2_recurrent_scale: has 47 numbers but must have 48");
  CHECK(refusal(without(good, "gru2_recurrent_scale")) ==
        file + "gru2_recurrent_scale: is missing; write the weights again");
  CHECK(refusal(without(good, "gru3_input_bias")) == file + "gru3_input_bias: is missing; write the weights again");
  CHECK(refusal(without(good, "conv2_weights_int8")) ==
        file + "conv2_weights_int8: is missing; write the weights again");
  CHECK(refusal(with(good, idx + 64, 7)).find("gru1_input_weights_idx: ") != std::string::npos);
  CHECK(refusal(with(good, idx + 64, -1)) ==
        file + "gru1_input_weights_idx: tells -1 blocks, which it does not have; write the weights again");
  CHECK(refusal(with(good, idx + 68, 2)) == file +
                                                "gru1_input_weights_idx: has a block at input 2, where none may be; "
                                                "blocks are in order, at multiples of 4 below 16");
  CHECK(refusal(with(good, idx + 68, 16)) == file +
                                                 "gru1_input_weights_idx: has a block at input 16, where none may "
                                                 "be; blocks are in order, at multiples of 4 below 16");
  // Layers whose weights no file of this size needs.
  const std::size_t bias = head_of(good, "gru1_recurrent_bias");
  std::string wide = with(with(good, bias + 12, 4 * 6144), bias + 16, 4 * 6144);
  wide.insert(bias + 64 + 192, 4 * 6144 - 192, '\0');
  CHECK(refusal(wide) == file + "gru1_recurrent_weights_int8: has more than 4 million weights; RNNoise has fewer");
  CHECK(refusal(good.substr(conv, 64 + 576) + good) == file + "conv1_weights_float: stands there twice; keep one");
  std::string other = good.substr(conv, 64 + 576);
  std::memcpy(other.data() + 20, "lpcnet_a", 8);
  CHECK(refusal(good + other).starts_with(file + "lpcnet_aights_float: is no part of the network of RNNoise 0.2"));
}

}  // namespace rnnc::test
