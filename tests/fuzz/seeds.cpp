#include <rnnc/model.hpp>
#include <rnnc/tensor_files.hpp>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "runtime/artifact_header.hpp"
#include "tests/fuzz/stored.hpp"
#include "tests/fuzz/targets.hpp"

namespace rnnc::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMostSeedBytes = 4096;  // longer ones slow a fuzzer down

// The small files of a folder that end in `suffix`, in the order of their names.
std::vector<std::string> files(const std::string& folder, const std::string& suffix) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().string().ends_with(suffix) && entry.file_size() <= kMostSeedBytes) paths.push_back(entry.path());
  std::ranges::sort(paths);
  std::vector<std::string> texts;
  for (const fs::path& path : paths) {
    std::ifstream file(path, std::ios::binary);
    texts.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return texts;
}

std::vector<std::string> joined(std::vector<std::string> first, std::vector<std::string> second) {
  std::ranges::move(second, std::back_inserter(first));
  return first;
}

std::string string_of(Bytes bytes) { return std::string(text_of(bytes)); }

// What stands behind an artifact's header.
std::string payload_of(const std::vector<std::byte>& file) {
  const std::size_t header = runtime::kArtifactHeaderBytes;
  return string_of(Bytes(file).subspan(header));
}

// A header in JSON and one float for each place that it names.
std::string safetensors(const std::string& header, std::size_t floats) {
  const std::uint64_t size = header.size();
  std::string file(sizeof size, '\0');
  std::memcpy(file.data(), &size, sizeof size);
  return file + header + std::string(floats * sizeof(float), '\1');
}

std::vector<std::string> safetensors_seeds() {
  return {
      safetensors(R"({"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"__metadata__":{"format":"pt"}})", 2),
      safetensors(
          R"({"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"I8","shape":[],"data_offsets":[4,5]},)"
          R"("c":{"dtype":"BOOL","shape":[3],"data_offsets":[5,8]}})",
          2),
      safetensors(R"({"rnn.weight_ih_l0":{"dtype":"F32","shape":[4,1],"data_offsets":[0,16]},)"
                  R"("rnn.weight_hh_l0":{"dtype":"F32","shape":[4,1],"data_offsets":[16,32]},)"
                  R"("rnn.bias_ih_l0":{"dtype":"F32","shape":[4],"data_offsets":[32,48]},)"
                  R"("rnn.bias_hh_l0":{"dtype":"F32","shape":[4],"data_offsets":[48,64]}})",
                  16),
      safetensors(R"({"weight_ih_l0":{"dtype":"F16","shape":[3,1],"data_offsets":[0,6]},)"
                  R"("weight_hh_l0":{"dtype":"F64","shape":[3,1],"data_offsets":[6,30]},)"
                  R"("weight_ih_l0_reverse":{"dtype":"F16","shape":[3,1],"data_offsets":[30,36]},)"
                  R"("weight_hh_l0_reverse":{"dtype":"F64","shape":[3,1],"data_offsets":[36,60]}})",
                  15),
      safetensors(R"({"weight_ih_l0":{"dtype":"I8","shape":[2,1],"data_offsets":[0,2]},)"
                  R"("weight_ih_l0_scale":{"dtype":"BF16","shape":[2],"data_offsets":[2,6]},)"
                  R"("weight_ih_l0_zero_point":{"dtype":"I8","shape":[2,1],"data_offsets":[6,8]},)"
                  R"("weight_hh_l0":{"dtype":"U8","shape":[2,2],"data_offsets":[8,12]},)"
                  R"("weight_hh_l0_scale":{"dtype":"F32","shape":[],"data_offsets":[12,16]}})",
                  4),
  };
}

// An array of a "DNNw" file; type 0 has floats, 1 whole numbers, 3 bytes.
std::string dnn_array(const std::string& name, std::int32_t type, const std::string& bytes) {
  const auto size = static_cast<std::int32_t>(bytes.size());
  const std::int32_t numbers[] = {0, type, size, size};
  std::string head = "DNNw" + std::string(reinterpret_cast<const char*>(numbers), sizeof numbers) + name;
  head.resize(64, '\0');
  return head + bytes;
}

// A network of RNNoise 0.2 with one block of integers in each matrix of a GRU of 8 units, below the 4 KiB of a fuzzer.
std::string small_blob() {
  const auto floats = [](const std::string& name, std::size_t count) {
    return dnn_array(name, 0, std::string(count * sizeof(float), '\1'));
  };
  std::string blob = floats("conv1_weights_float", 3) + floats("conv1_bias", 1) + floats("conv2_weights_float", 24) +
                     floats("conv2_bias", 8);
  const std::int32_t blocks[] = {1, 4, 0, 0};  // one for the first 8 outputs, at input 4
  for (const char* gru : {"gru1", "gru2", "gru3"})
    for (const char* part : {"_input", "_recurrent"}) {
      const std::string name = std::string(gru) + part;
      blob += floats(name + "_bias", 24) + floats(name + "_scale", 24) +
              dnn_array(name + "_weights_int8", 3, std::string(32, '\1')) +
              dnn_array(name + "_weights_idx", 1, {reinterpret_cast<const char*>(blocks), sizeof blocks});
    }
  for (const char* name : {"dense_out", "vad_dense"})
    blob += floats(std::string(name) + "_weights_float", 32) + floats(std::string(name) + "_bias", 1);
  return blob;
}

std::vector<std::string> state_seeds() {
  const Program program = seed_program();
  const std::string whole = string_of(program.make_state(2).save());
  const std::size_t row = (whole.size() - 24) / 2;  // behind the header of a whole state
  return {whole, whole.substr(24, row)};
}

}  // namespace

std::vector<std::string> seeds(std::string_view target, const std::string& source) {
  const std::string own = source + "/tests/fuzz/seeds/", data = source + "/tests/conformance/";
  if (target == "text" || target == "cell")
    return joined(files(own + "text", ".rnn"), files(source + "/ir/cells", ".rnn"));
  if (target == "safetensors") return safetensors_seeds();
  if (target == "npy") return files(data + "audio", ".npy");
  if (target == "json") return joined(files(own + "json", ".json"), files(data + "audio", ".json"));
  if (target == "rnnoise")
    return joined(joined(files(data + "audio", ".rnnn"), files(data + "rnnoise", ".bin")), {small_blob()});
  if (target == "zip") return joined(files(own + "zip", ".npz"), files(own + "zip", ".keras"));
  if (target == "hdf5") return files(own + "hdf5", ".h5");
  if (target == "tflite") return files(data + "tflite", ".tflite");
  if (target == "onnx")
    return joined(joined(files(data + "onnx", ".onnx"), files(data + "onnx/chains", ".onnx")),
                  files(data + "onnx/quantized", ".onnx"));
  if (target == "artifact")
    return {payload_of(runtime::write_artifact(stored_cell())), payload_of(runtime::write_artifact(stored_network()))};
  if (target == "cache") return {payload_of(runtime::write_entry(stored_entry()))};
  if (target == "saved_state") return state_seeds();
  return {"0:1/1/16,12:2/4/256", "7:1/1/-1"};
}

}  // namespace rnnc::fuzz
