// Models of RNNoise: a small good one with one thing changed has an error of its own.
#include <rnnc/import.hpp>

#include <string>

#include "tests/errors/file_bytes.hpp"

namespace rnnc::test {
namespace {

// Each layer of one unit; two features.
const std::string kGood =
    "rnnoise-nu model file version 1\n"
    "2 1 0\n10 -20\n30\n"
    "1 1 2\n1 2 3\n4 5 6\n7 8 9\n"
    "4 1 2\n1 2 3 4 5 6 7 8 9 10 11 12\n4 5 6\n7 8 9\n"
    "4 1 0\n1 2 3 4 5 6 7 8 9 10 11 12\n4 5 6\n7 8 9\n"
    "1 1 1\n127\n-128\n"
    "1 1 1\n1\n2\n";

struct Change {
  const char *from, *to, *error;
};

const Change kChanges[] = {
    {"version 1", "version 2", "version \"2\" of RNNoise's models is not known"},
    {"\n2 1 0\n", "\n2 1 3\n",
     "input_dense, activation: there must be a whole number from 0 to 2 at byte 37, not \"3\""},
    {"\n2 1 0\n", "\n2 0 0\n", "input_dense, units: there must be a whole number from 1 to 128"},
    {"\n2 1 0\n", "\n2 129 0\n", "input_dense, units: there must be a whole number from 1 to 128"},
    {"\n2 1 0\n", "\n-2 1 0\n", "input_dense, inputs: there must be"},
    {"\n2 1 0\n", "\n2 1 0x\n", "not \"0x\""},
    {"10 -20", "10 -20.5",
     "input_dense, weights: there must be a whole number from -128 to 127 at byte 42, not \"-20.5\""},
    {"10 -20", "10 -200", "not \"-200\""},
    {"10 -20", "10 99999999999999999999", "not \"99999999999999999999\""},
    {"\n1 1 2\n", "\n2 1 2\n", "vad_gru: takes 2 inputs but the layers below give 1"},
    {"\n4 1 2\n", "\n3 1 2\n", "noise_gru: takes 3 inputs but the layers below give 4"},
    {"\n1 1 1\n1\n2\n", "\n1 2 1\n1 1\n2 2\n", "vad_output: has 2 units but must have 1"},
    {"\n1\n2\n", "\n1\n", "vad_output, bias: is missing: the file is cut short"},
    {"\n1\n2\n", "\n1\n2\n3\n", "something follows; remove it"},
};

}  // namespace

TEST_CASE("the model of RNNoise of which the malformed ones are made is good", "[errors][import]") {
  const Imported imported = import_model(bytes_of(kGood)).value();
  CHECK(imported.weights.at("input_dense_W").to_f32() == std::vector<float>{10 / 256.0f, -20 / 256.0f});
  CHECK(imported.weights.at("denoise_output_b").to_f32() == std::vector<float>{-0.5f});
  CHECK(imported.model.text().find("noise_gru_n = relu(noise_gru_Wn @ noise_gru_in + noise_gru_Un @ (noise_gru_r * "
                                   "noise_gru) + noise_gru_bn)") != std::string::npos);
}

TEST_CASE("each malformed model of RNNoise has its own error", "[errors][import]") {
  for (const Change& change : kChanges) {
    INFO(change.from << " becomes " << change.to);
    std::string text = kGood;
    const std::size_t at = text.rfind(change.from);
    REQUIRE(at != std::string::npos);
    const auto result = import_model(bytes_of(text.replace(at, std::string(change.from).size(), change.to)), "m.rnnn");
    REQUIRE_FALSE(result.ok());
    INFO(result.error().to_string());
    CHECK(result.error().to_string().find(change.error) != std::string::npos);
    CHECK(result.error().to_string().starts_with("m.rnnn: "));
  }
}

TEST_CASE("a model of RNNoise that is cut anywhere is an error", "[errors][import]") {
  for (std::size_t size = 0; size + 2 < kGood.size(); ++size)
    CHECK_FALSE(import_model(bytes_of(kGood.substr(0, size))).ok());
}

}  // namespace rnnc::test
