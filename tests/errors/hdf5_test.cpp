// Models of Keras that are damaged, or whose layers cannot be imported: each is refused with its own error.
#include <rnnc/import.hpp>

#include <string>

#include <nlohmann/json.hpp>

#include "import/hdf5.hpp"
#include "import/keras.hpp"
#include "import/refusal.hpp"
#include "import/zip.hpp"
#include "tests/errors/file_bytes.hpp"

namespace rnnc::test {
namespace {

const std::string kSeeds = RNNC_SOURCE_DIR "/tests/fuzz/seeds/";
const std::string kModels = RNNC_SOURCE_DIR "/tests/conformance/keras/";

struct Change {
  const char *from, *to, *error;
};

// Each change is made in the configuration of keras2_sequential.h5, as JSON writes it in Python.
const Change kChanges[] = {
    {"\"class_name\": \"Sequential\"", "\"class_name\": \"MyModel\"", "models of class \"MyModel\" cannot be imported"},
    {"\"class_name\": \"Dense\"", "\"class_name\": \"Conv1D\"",
     "layers of class \"Conv1D\" cannot be imported, as \"dense\" is"},
    {"\"class_name\": \"Dropout\"", "\"class_name\": \"Masking\"", "layers of class \"Masking\" cannot be imported"},
    {"\"name\": \"dense\"", "\"name\": \"other\"", "layer \"other\": has no weight \"kernel\""},
    {"\"units\": 2", "\"units\": 3", "its kernel is 5 x 2 but must be 5 x 3"},
    {"\"units\": 5", "\"units\": 4", "its kernel is 4 x 15 but must be 4 x 12"},
    {"\"reset_after\": true", "\"reset_after\": false", "its bias is 2 x 15 but must be 1 x 15"},
    {"\"merge_mode\": \"ave\"", "\"merge_mode\": \"concat\"", "takes 4 features but the layer below gives 8"},
    {"\"merge_mode\": \"ave\"", "\"merge_mode\": \"max\"", "merge_mode: \"max\" is not known"},
    {"\"merge_mode\": \"ave\"", "\"merge_mode\": null", "merge_mode: must be a string"},
    {"\"activation\": \"softmax\"", "\"activation\": \"mish\"", "activation \"mish\" is not known"},
    {"\"activation\": \"softmax\"", "\"activation\": {\"class_name\": \"f\"}",
     "activation: must be a string, not object"},
    {"\"return_state\": false", "\"return_state\": true", "return_state: is on, which cannot be imported"},
    {"\"time_major\": false", "\"time_major\": true", "time_major: is on, which cannot be imported"},
    {"\"go_backwards\": false", "\"go_backwards\": true", "must run forwards"},
    {"\"axis\": [1]", "\"axis\": [2]", "axis[0]: must be the last one"},
    {"\"use_bias\": true}", "\"use_bias\": false}", "has a weight \"bias\", which is not known of such a layer"},
    {"\"use_bias\": true}", "\"use_bias\": true, \"lora_rank\": 4}", "lora_rank: is not known of a layer Dense"},
    {"\"return_sequences\": true", "\"return_sequences\": false",
     "reads a sequence, but the layer below gives one vector"},
    {"\"class_name\": \"LSTM\"", "\"class_name\": \"ConvLSTM1D\"",
     "is of class \"ConvLSTM1D\"; known are LSTM, GRU and SimpleRNN"},
    {"\"epsilon\": 0.0009765625", "\"epsilon\": -9", "has a variance of which no root can be taken"},
    {"\"epsilon\": 0.0009765625, \"center\": true", "\"epsilon\": 0.5, \"center\": false", "has a weight \"beta\""},
    {"\"layers\": [", "\"layer\": [", "key \"layers\" is missing"},
};

// Each change is made in the configuration of keras3_functional.keras, whose layers are a graph.
const Change kGraphChanges[] = {
    {"\"keras_history\": [\"second\", 0, 0]", "\"keras_history\": [\"first\", 0, 0]",
     "reads \"first\", but only the layer before, \"second\""},
    {"\"keras_history\": [\"second\", 0, 0]", "\"keras_history\": [\"second\", 0, 1]",
     "is not the first output of its layer"},
    {"\"kwargs\": {\"training\": false, \"mask\": null}", "\"kwargs\": {\"initial_state\": [1]}",
     "initial_state: is given to the layer"},
    {"\"output_layers\": [[\"layer_normalization\", 0, 0]]", "\"output_layers\": [[\"gru\", 0, 0]]",
     "is \"gru\" but the chain of layers ends in"},
    {"\"output_layers\": [[\"layer_normalization\", 0, 0]]", "\"output_layers\": [[\"gru\", 0, 0], [\"gru\", 0, 0]]",
     "has 2 entries"},
    {"\"mask_zero\": false", "\"mask_zero\": true", "mask_zero: is on, which cannot be imported"},
    {"\"return_sequences\": false", "\"return_sequences\": true", "gives a sequence in turned order"},
    {"\"inbound_nodes\": [{", "\"inbound_nodes\": [{}, {", "the layer is used 2 times"},
};

void check_change(const std::string& config, const files::Hdf5File& weights, const Change& change) {
  INFO(change.from << " becomes " << change.to);
  std::string text = config;
  const std::size_t at = text.find(change.from);
  REQUIRE(at != std::string::npos);
  text.replace(at, std::string(change.from).size(), change.to);
  try {
    const auto json = files::parse_json(text, "m.h5", {.max_nesting = 32});
    static_cast<void>(files::import_keras(files::JsonValue(json, "m.h5"), "2", weights, false));
    FAIL_CHECK("it is imported");
  } catch (const files::Refusal& refusal) {
    INFO(refusal.error.to_string());
    CHECK(refusal.error.to_string().find(change.error) != std::string::npos);
    CHECK(refusal.error.to_string().starts_with("m.h5: "));
  }
}

}  // namespace

TEST_CASE("each configuration of Keras that cannot be imported has its own error", "[errors][import]") {
  const std::string bytes = read_text(kModels + "keras2_sequential.h5");
  const files::Hdf5File file = files::read_hdf5(bytes_of(bytes), "m.h5", {});
  for (const Change& change : kChanges) check_change(file.texts.at("model_config"), file, change);
}

TEST_CASE("a model of Keras whose layers are no chain is refused", "[errors][import]") {
  const std::string bytes = read_text(kModels + "keras3_functional.keras");
  const auto entries = files::list_zip(bytes_of(bytes), "m.keras", {});
  std::string config;
  files::Hdf5File weights;
  std::vector<std::byte> stored;
  for (const files::ZipEntry& entry : entries) {
    if (entry.name == "config.json")
      config.assign(reinterpret_cast<const char*>(entry.packed.data()), entry.packed.size());
    if (entry.name == "model.weights.h5") weights = files::read_hdf5(stored = files::unpack(entry, "m"), "m.keras", {});
  }
  for (const Change& change : kGraphChanges) check_change(config, weights, change);
}

TEST_CASE("an HDF5 file that is no model of Keras is refused in words", "[errors][import]") {
  std::string bytes = read_text(kSeeds + "hdf5/new.h5");
  const auto message = [&](const ImportOptions& options = {}) {
    return import_model(bytes_of(bytes), "m.h5", options).error().to_string();
  };
  CHECK(message({.prefix = "r"}).find("--prefix is for a file of weights alone") != std::string::npos);
  bytes.replace(bytes.find("model_config"), 12, "model_confiG");
  CHECK(message().find("has neither an attribute model_config nor a folder layers") != std::string::npos);
}

TEST_CASE("weights of Keras alone are refused where they do not say enough", "[errors][import]") {
  const std::string bytes = read_text(kModels + "keras3_alone.weights.h5");
  const auto message = [&](const std::string& prefix) {
    const Result<Imported> imported = import_model(bytes_of(bytes), "m.h5", {.prefix = prefix});
    return imported ? "imported" : imported.error().to_string();
  };
  CHECK(message("bidirectional,gru,dense") == "imported");
  CHECK(message("").find(
            "weights alone, which do not say how the layers run; save the model with "
            "model.save(\"model.keras\"), or choose by prefix layers with commas in the order in which they run: "
            "\"bidirectional\", \"dense\", \"gru\", \"gru_1\", \"prelu\"") != std::string::npos);
  CHECK(message("lstm").find("there is no layer \"lstm\"; there are: ") != std::string::npos);
  CHECK(message("gru,gru").find("the layer \"gru\" is given twice") != std::string::npos);
  CHECK(message("prelu").find("is no layer that weights alone can be imported of") != std::string::npos);
  CHECK(message("gru_1").find("is a GRU without bias") != std::string::npos);
  CHECK(message("gru,bidirectional").find("takes 2 features but the layer below gives 4") != std::string::npos);
}

TEST_CASE("a model of Keras that is cut anywhere is an error, and one changed anywhere is read or refused",
          "[errors][import]") {
  for (const std::string name : {"hdf5/old.h5", "hdf5/new.h5", "zip/small.keras"}) {
    INFO(name);
    const std::string content = read_text(kSeeds + name);
    REQUIRE(import_model(bytes_of(content)).ok());
    std::size_t read = 0;
    for (std::size_t size = 1; size < content.size(); ++size) {
      const std::string cut = content.substr(0, size);
      read += import_model(bytes_of(cut)).ok();
      std::string changed = content;
      for (const int bit : {1, 2, 4, 8, 16, 32, 64, 128}) {
        changed[size] = static_cast<char>(content[size] ^ bit);
        static_cast<void>(import_model(bytes_of(changed)));
      }
    }
    CHECK(read <= 8);  // bytes that pad the end
  }
}

}  // namespace rnnc::test
