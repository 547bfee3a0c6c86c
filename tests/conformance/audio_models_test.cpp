// RTNeural, AIDA-X, GuitarML, NAM, RNNoise and ICU: small models of our own against NumPy (audio/make_data.py), and the
// models of RTNeural and NAM themselves where RNNC_TEST_DATA, or ../shared/data beside the source, is a folder that has
// them.
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include <rnnc/import.hpp>
#include <rnnc/tensor_files.hpp>

#include "compiler/llvm/resolve_target.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_imported.hpp"

namespace rnnc::test {
namespace {

constexpr double kMost = 1e-6;
const std::string kFolder = RNNC_SOURCE_DIR "/tests/conformance/audio/";

ir::Vector doubles(const Tensor& tensor) {
  ir::Vector values(static_cast<std::size_t>(tensor.elements()));
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

std::vector<float> numbers(const std::string& path) {
  std::ifstream file(path);
  std::vector<float> values;
  for (double value = 0; file >> value;) values.push_back(static_cast<float>(value));
  return values;
}

// "" where there is none.
std::string test_data() {
  if (const char* named = std::getenv("RNNC_TEST_DATA")) return named;
  const std::string beside = RNNC_SOURCE_DIR "/../shared/data";
  return std::filesystem::is_directory(beside + "/rtneural") ? beside : "";
}

}  // namespace

TEST_CASE("models of GuitarML, RTNeural, AIDA-X, NAM, RNNoise and ICU give NumPy's numbers", "[conformance][import]") {
  const std::string name = GENERATE("guitarml_lstm.json", "guitarml_gru.json", "guitarml_rnn.json",
                                    "rtneural_gru_reset_before.json", "nam_two_layers.nam", "nam_sequential.nam",
                                    "aidax_convolutions.json", "rnnoise_small.rnnn", "icu_small.json");
  INFO(name);
  const Imported imported = import_model_file(kFolder + name).value();
  const std::string stem = kFolder + name.substr(0, name.find('.'));
  const Tensor x = load_npy(stem + ".x.npy").value();
  const ir::Vector y = doubles(load_npy(stem + ".y.npy").value());
  const std::vector<float> values = x.to_f32();
  CHECK(largest_difference(interpret_imported(imported, {values.begin(), values.end()}, x.shape[0], x.shape[1]), y) <=
        1e-12);
  if (!imported.model.networks().empty()) return;
  for (const std::string& cpu : compiler::runnable_levels())
    CHECK(largest_difference(run_imported(imported, values, x.shape[0], x.shape[1], cpu), y) <= kMost);
}

TEST_CASE("what is imported can be written as text and read again", "[import]") {
  const Imported imported = import_model_file(kFolder + "nam_two_layers.nam").value();
  CHECK(parse(imported.model.text()).value().text() == imported.model.text());
}

TEST_CASE("RTNeural's own models give its expected outputs", "[conformance][import]") {
  const std::string folder = test_data();
  if (folder.empty()) {
    WARN("skipped: RNNC_TEST_DATA names no folder with RTNeural's models");
    return;
  }
  struct Case {
    std::string name, prefix;
    std::size_t samples;
  };
  // PyTorch's weights as JSON, of three modules.
  for (const Case& one : {Case{"lstm", "", 100}, Case{"gru", "", 100}, Case{"lstm_torch", "lstm,lstm2,dense", 1000},
                          Case{"gru_torch", "gru,gru2,dense", 1000}}) {
    INFO(one.name);
    const std::string stem = folder + "/rtneural/" + one.name;
    const Imported imported = import_model_file(stem + ".json", {.prefix = one.prefix}).value();
    const std::vector<float> x = numbers(stem + "_x.csv"), y = numbers(stem + "_y.csv");
    REQUIRE(x.size() == one.samples);
    const auto steps = static_cast<std::int64_t>(x.size());
    CHECK(largest_difference(interpret_imported(imported, {x.begin(), x.end()}, steps, 1), y) <= kMost);
    CHECK(largest_difference(run_imported(imported, x, steps, 1, "host"), y) <= kMost);
  }
}

}  // namespace rnnc::test
