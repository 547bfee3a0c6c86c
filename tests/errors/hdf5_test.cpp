// Models of Keras that are damaged, or whose layers cannot be imported: each is refused with its own error.
#include <rnnc/import.hpp>

#include <span>
#include <string>

#include <nlohmann/json.hpp>

#include "import/hdf5.hpp"
#include "import/keras/import_keras.hpp"
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
    {"\"class_name\": \"Dense\"", "\"class_name\": \"Conv1D\"", "units: is not known of a layer Conv1D"},
    {"\"class_name\": \"Dense\"", "\"class_name\": \"Lambda\"",
     "layers of class \"Lambda\" cannot be imported, as \"dense\" is"},
    {"\"class_name\": \"Dropout\"", "\"class_name\": \"Attention\"",
     "layers of class \"Attention\" cannot be imported"},
    {"\"name\": \"dense\"", "\"name\": \"other\"", "layer \"other\": has no weight \"kernel\""},
    {"\"units\": 2", "\"units\": 3", "its kernel is [5,2] but must be [5,3]"},
    {"\"units\": 5", "\"units\": 4", "its kernel is [4,15] but must be [4,12]"},
    {"\"reset_after\": true", "\"reset_after\": false", "its bias is [2,15] but must be [15]"},
    {"\"merge_mode\": \"ave\"", "\"merge_mode\": \"concat\"", "its kernel is [4,15] but must be [8,15]"},
    {"\"merge_mode\": \"ave\"", "\"merge_mode\": \"max\"", "merge_mode: \"max\" is not known"},
    {"\"merge_mode\": \"ave\"", "\"merge_mode\": 2", "merge_mode: must be a string"},
    {"\"activation\": \"softmax\"", "\"activation\": \"sparsemax\"", "activation \"sparsemax\" is not known"},
    {"\"activation\": \"tanh\"", "\"activation\": \"mish\"",
     "activation: activation \"mish\" cannot be imported in a recurrent layer"},
    {"\"activation\": \"tanh\"", "\"activation\": \"relu6\"",
     "activation: activation \"relu6\" cannot be imported in a recurrent layer"},
    {"\"activation\": \"softmax\"", "\"activation\": {\"class_name\": \"f\"}",
     "activation: must be a string, not object"},
    {"\"time_major\": false", "\"time_major\": true", "time_major: is on, which cannot be imported"},
    {"\"axis\": [1]", "\"axis\": [2]", "axis[0]: must be the last one"},
    {"\"use_bias\": true}", "\"use_bias\": false}", "has a weight \"bias\", which is not known of such a layer"},
    {"\"use_bias\": true}", "\"use_bias\": true, \"lora_rank\": 4}", "lora_rank: is not known of a layer Dense"},
    {"\"return_sequences\": true", "\"return_sequences\": false",
     "reads a sequence of vectors, but gets [4] of each sequence"},
    {"\"class_name\": \"LSTM\"", "\"class_name\": \"ConvLSTM1D\"",
     "is of class \"ConvLSTM1D\"; known are LSTM, GRU, SimpleRNN and RNN"},
    {"\"epsilon\": 0.0009765625", "\"epsilon\": -9", "has a variance of which no root can be taken"},
    {"\"epsilon\": 0.0009765625, \"center\": true", "\"epsilon\": 0.5, \"center\": false", "has a weight \"beta\""},
    {"\"layers\": [", "\"layer\": [", "key \"layers\" is missing"},
};

// Each change is made in the configuration of keras3_functional.keras, whose layers are a graph, or of the model of
// the test.
const Change kGraphChanges[] = {
    {"\"keras_history\": [\"second\", 0, 0]", "\"keras_history\": [\"third\", 0, 0]",
     "there is no call 0 of a layer \"third\""},
    {"\"keras_history\": [\"second\", 0, 0]", "\"keras_history\": [\"second\", 1, 0]",
     "there is no call 1 of a layer \"second\""},
    {"\"keras_history\": [\"first\", 0, 0]", "\"keras_history\": [\"second\", 0, 0]", "depends on itself"},
    {"\"keras_history\": [\"second\", 0, 0]", "\"keras_history\": [\"second\", 0, 1]",
     "is output 1 of layer \"second\", which the layer does not have"},
    {"\"kwargs\": {\"training\": false, \"mask\": null}", "\"kwargs\": {\"initial_state\": [1]}",
     "initial_state[0]: is a number; only a tensor of a layer can be a state"},
    {"\"kwargs\": {\"training\": false, \"mask\": null}", "\"kwargs\": {\"bias\": 1}", "bias: is given to the layer"},
    {"\"kwargs\": {\"training\": false, \"mask\": null}", "\"kwargs\": {\"mask\": 1}",
     "mask: is no tensor of one layer"},
    {"\"kwargs\": {\"training\": false, \"mask\": null}", "\"kwargs\": {\"training\": true}",
     "training: is on, as if the layer were trained"},
    {"\"output_layers\": [[\"layer_normalization\", 0, 0]]", "\"output_layers\": []", "output_layers: is empty"},
    {"\"input_layers\": [[\"input_layer\", 0, 0]]", "\"input_layers\": [[\"first\", 0, 0]]", "is no input"},
    {"\"inbound_nodes\": [{", "\"inbound_nodes\": [{}, {", "key \"args\" is missing"},
    {"\"rms_scaling\": false", "\"rms_scaling\": true", "rms_scaling: is not known of a layer LayerNormalization"},
};

// In a model with masks.
const Change kMaskChanges[] = {
    {"\"GlobalAveragePooling1D\", \"config\": {\"name\": \"mean\", \"data_format\": \"channels_last\", \"keepdims\": "
     "false",
     "\"Softmax\", \"config\": {\"name\": \"mean\"",
     "reads a sequence with a mask, which a layer of class \"Softmax\""},
    {"\"GlobalAveragePooling1D\"", "\"Flatten\"", "makes one vector of all steps"},
    {"\"return_sequences\": true, \"return_state\": false, \"go_backwards\": false, \"stateful\": false, \"unroll\": "
     "false, "
     "\"units\": 4",
     "\"return_sequences\": true, \"return_state\": false, \"go_backwards\": true, \"stateful\": false, \"unroll\": "
     "false, "
     "\"units\": 4",
     "go_backwards: turns the steps of a sequence and not those of its mask"},
    {"\"class_name\": \"Dense\", \"config\": {\"name\": \"dense\"",
     "\"class_name\": \"LSTM\", \"config\": {\"name\": \"dense\"",
     "is of class \"LSTM\"; known are \"BatchNormalization\", \"Dense\""},
};
const Change kBranchChanges[] = {
    {"\"class_name\": \"Subtract\"", "\"class_name\": \"Maximum\"", "in a way that depends on the version of Keras"},
    {"\"padding\": \"causal\"", "\"padding\": \"reflect\"", "padding: \"reflect\" is not known"},
    {"\"filters\": 4", "\"filters\": 5", "its kernel is [3,2,4] but must be [3,2,5]"},
    {"\"axis\": -1, \"keepdims\": false", "\"axis\": 1, \"keepdims\": false", "or not over the features"},
    {"\"batch_shape\": [null, 10, 3]", "\"batch_shape\": []", "is an input of 0 dims"},
};

void check_change(const std::string& config, const files::Hdf5File& weights, const Change& change,
                  const std::string& version = "2") {
  INFO(change.from << " becomes " << change.to);
  std::string text = config;
  const std::size_t at = text.find(change.from);
  REQUIRE(at != std::string::npos);
  text.replace(at, std::string(change.from).size(), change.to);
  try {
    const auto json = files::parse_json(text, "m.h5", {.max_nesting = 32});
    static_cast<void>(
        files::import_keras(files::JsonValue(json, "m.h5"), version, weights, false, files::FileContent({}), {}));
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

// Makes changes in the configuration of a file .keras whose entries are not packed.
void check_changes(const std::string& name, std::span<const Change> changes, const std::string& version = "2") {
  const std::string bytes = read_text(kModels + name);
  const auto entries = files::list_zip(bytes_of(bytes), "m.keras", {});
  std::string config;
  files::Hdf5File weights;
  std::vector<std::byte> stored;
  for (const files::ZipEntry& entry : entries) {
    if (entry.name == "config.json")
      config.assign(reinterpret_cast<const char*>(entry.packed.data()), entry.packed.size());
    if (entry.name == "model.weights.h5") weights = files::read_hdf5(stored = files::unpack(entry, "m"), "m.keras", {});
  }
  for (const Change& change : changes) check_change(config, weights, change, version);
}

// In a model with functions and what they take.
const Change kFunctionChanges[] = {
    {"{\"class_name\": \"Add\", \"config\": {\"name\": \"add_1\"",
     "{\"module\": \"keras.ops.numpy\", \"class_name\": \"Add\", \"config\": {\"name\": \"add_1\"",
     "joins [-1,4] and [4] of each sequence; make their ranks equal"},
    {"\"class_name\": \"Add\", \"config\": {\"name\": \"add\"}",
     "\"class_name\": \"Average\", \"config\": {\"name\": \"add\"}", "is the function average, which has weights"},
    {"[{\"class_name\": \"__slice__\", \"config\": {\"start\": null, \"stop\": null, \"step\": null}}, -1]", "[0, -1]",
     "args[1][0]: takes a part of the batch"},
    {"null}}, -1]", "null}}, 0.5]", "args[1][1]: is no index"},
    {"null}}, -1]", "null}}, \"a\"]", "args[1][1]: is no index and no slice"},
    {"null}}, -1]", "null}}, -1, 0, 0]", "args[1]: has more keys than there are dims"},
    {"null}}, -1]", "null}}, -1, 4]", "args[1][2]: is beyond its dim"},
    {"\"start\": 1, \"stop\": 5, \"step\": null", "\"start\": 1, \"stop\": 5, \"step\": -1", "has steps below 1"},
    {"\"start\": 1, \"stop\": 5, \"step\": null", "\"start\": 5, \"stop\": 5, \"step\": null", "takes nothing"},
    {"\"name\": \"concatenate\", \"axis\": 2", "\"name\": \"concatenate\", \"axis\": 0", "axis: must be the last one"},
    {"\"threshold\": 0.0", "\"threshold\": 0.5", "threshold: must be 0"},
    {"\"invert\": false, \"mean\": null", "\"invert\": false, \"mean\": [1, 2], \"variance\": [1, 2]",
     "its mean or variance is [2] but must be [3]"},
};

TEST_CASE("models within models of Keras that would be misread are refused", "[errors][import]") {
  const Change changes[] = {
      {"\"n\": 8", "\"n\": 7", "n: makes 7 steps, and the sequences that the model reads must have as many"},
      {"\"batch_shape\": [null, 8, 3], \"dtype\": \"float32\", \"sparse\": false, \"name\": \"x\"",
       "\"batch_shape\": [null, null, 3], \"dtype\": \"float32\", \"sparse\": false, \"name\": \"x\"",
       "build it with an input of 8 steps"},
      {"[\"encoder\", 2, 0]", "[\"encoder\", 3, 0]", "there is no call 2 of a layer \"encoder\""},
      {"[\"encoder\", 2, 0]", "[\"encoder\", 2, 1]", "is output 1 of layer \"encoder\", which the layer does not have"},
      {"\"kwargs\": {\"training\": false}",
       "\"kwargs\": {\"mask\": {\"class_name\": \"__keras_tensor__\", \"config\": {\"keras_history\": [\"u\", 0, 0]}}}",
       "a model within a model is given a mask or states"},
      {"\"keras_history\": [\"x\", 0, 0]}}]",
       "\"keras_history\": [\"x\", 0, 0]}}, {\"class_name\": \"__keras_tensor__\", \"config\": {\"keras_history\": "
       "[\"u\", "
       "0, 0]}}]",
       "takes 1 inputs, not 2"},
      {"\"input_layers\": [[\"frames\", 0, 0]]",
       "\"input_layers\": {\"f\": [\"frames\", 0, 0], \"g\": [\"frames\", 0, 0]}",
       "a model within a model has several inputs or outputs in a dict"},
      {"\"class_name\": \"Sequential\"", "\"class_name\": \"Decoder\"",
       "layers of class \"Decoder\" cannot be imported"}};
  check_changes("keras3_autoencoder.keras", changes, "3.5.0");
}

// A model that has a model that has a model, and so on.
TEST_CASE("models of Keras that nest too deep are refused", "[errors][import]") {
  std::string text = R"({"class_name": "LSTM", "config": {"name": "lstm"}})";
  for (int depth = 0; depth < 9; ++depth)
    text = R"({"class_name": "Sequential", "config": {"name": "m", "layers": [)" + text + "]}}";
  try {
    const auto json = files::parse_json(text, "m.keras", {.max_nesting = 64});
    static_cast<void>(
        files::import_keras(files::JsonValue(json, "m.keras"), "3.5.0", {}, false, files::FileContent({}), {}));
    FAIL_CHECK("it is imported");
  } catch (const files::Refusal& refusal) {
    CHECK(refusal.error.to_string().find("models nest deeper than 8") != std::string::npos);
  }
}

TEST_CASE("functions of Keras that would be misread are refused", "[errors][import]") {
  check_changes("keras3_residual.keras", kFunctionChanges);
  // A comparison is a mask and no number: where it is added, an output, or compared in other ways.
  const Change changes[] = {
      {"\"output_layers\": [[\"dense\", 1, 0]", "\"output_layers\": [[\"not_equal\", 0, 0]",
       "output_layers[0]: is a comparison, of which only the mask of a layer can be imported"},
      {"\"keras_history\": [\"conv1d\", 0, 0]}}, 0.5]", "\"keras_history\": [\"not_equal\", 0, 0]}}, 0.5]",
       "is a comparison, of which only the mask of a layer can be imported"},
      {"\"keras_history\": [\"any\", 0, 0]", "\"keras_history\": [\"masking\", 0, 0]", "mask: is no mask of steps"},
      {"\"keepdims\": false}}]", "\"keepdims\": true}}]", "keepdims: is on"}};
  check_changes("keras3_branches.keras", changes, "3.5.0");
}

// Keras before TensorFlow's gives the last output again at a masked step of a bidirectional layer, and newer ones
// zeros.
TEST_CASE("a mask of a bidirectional layer of the first versions of Keras is refused", "[errors][import]") {
  const Change change = {"\"name\": \"mean\"", "\"name\": \"mean\"",
                         "where versions of Keras before TensorFlow's differ"};
  for (const char* version : {"2.2.4", "2.3.1", "2", ""}) check_changes("keras3_masked.keras", {&change, 1}, version);
}

TEST_CASE("a graph of Keras's layers that would be misread is refused", "[errors][import]") {
  check_changes("keras3_functional.keras", kGraphChanges);
  check_changes("keras3_masked.keras", kMaskChanges, "3.5.0");
  check_changes("keras3_branches.keras", kBranchChanges);
}

// Keras 3.16 drops a mask behind a recurrent layer, and older versions pass it on.
TEST_CASE("a mask that depends on the version of Keras is refused", "[errors][import]") {
  const Change change = {"\"name\": \"mean\"", "\"name\": \"mean\"",
                         "reads a sequence that has a mask or none, depending on the version of Keras"};
  check_changes("keras3_masked.keras", {&change, 1}, "3.16.0");
  check_changes("keras3_masked.keras", {&change, 1}, "3.17.2");
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
  CHECK(message("gru,bidirectional").find("its kernel is [2,12] but must be [4,12]") != std::string::npos);
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
