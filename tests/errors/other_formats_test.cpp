// A file that no reader takes is named for what it is, with what to give instead.
#include <fstream>
#include <string>

#include <rnnc/import.hpp>
#include <rnnc/tensor_files.hpp>

#include "tests/errors/file_bytes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace rnnc;
using namespace std::string_literals;

namespace {

std::string error_of(const std::string& content) {
  const auto imported = import_model(std::as_bytes(std::span(content)), "m");
  if (imported) return "";
  CHECK(imported.error().code == ErrorCode::Unsupported);
  return imported.error().to_string();
}

// Returns a zip file with one empty entry.
std::string zip_of(const std::string& name) {
  const std::string size(1, static_cast<char>(name.size()));
  const std::string fields = std::string(4 + 2 + 2 + 4 + 4 + 4, '\0') + size + std::string(1 + 2, '\0');
  const std::string entry = "PK\3\4\x14\0"s + fields + name;
  const std::string directory = "PK\1\2\x14\0\x14\0"s + fields + std::string(2 + 2 + 2 + 4 + 4, '\0') + name;
  return entry + directory + "PK\5\6\0\0\0\0\1\0\1\0"s + static_cast<char>(directory.size()) + std::string(3, '\0') +
         static_cast<char>(entry.size()) + std::string(3 + 2, '\0');
}

}  // namespace

TEST_CASE("files of other programs are known by their content", "[errors][import]") {
  const std::string torch = "torch.onnx.export(model, x, 'model.onnx') writes a model";
  CHECK(error_of("rnncart\n1") ==
        "m: this is an artifact, machine code that is compiled already; rnnc run takes it if its name ends in .rnnc");
  CHECK(error_of("\x93NUMPY\1\0").starts_with("m: this is an array of NumPy, not a model; --input takes it"));
  CHECK(error_of("\x1f\x8b\x08\0"s).starts_with("m: this file is compressed by gzip"));
  CHECK(error_of("\x7f"
                 "ELF\2\1")
            .starts_with("m: this is machine code"));
  const std::string pickle = error_of("\x80\x02}q\0."s);
  CHECK(pickle.starts_with("m: this is a pickle of Python"));
  CHECK(pickle.find(torch) != std::string::npos);
}

TEST_CASE("a safetensors file whose size begins as a pickle does is no pickle", "[errors][import]") {
  for (const std::size_t size : {0x280, 0x380, 0x480, 0x580}) {
    std::string header = R"({"weight_ih_l0":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},)"
                         R"("weight_hh_l0":{"dtype":"F32","shape":[1,1],"data_offsets":[4,8]}})";
    header.resize(size, ' ');
    std::string content(8, '\0');
    for (std::size_t i = 0; i < 8; ++i) content[i] = static_cast<char>(size >> (8 * i));
    content += header + std::string(8, '\0');
    INFO(size);
    CHECK(import_model(std::as_bytes(std::span(content)), "m").ok());
  }
}

TEST_CASE("a zip of PyTorch is told from weights in a zip", "[errors][import]") {
  const std::string saved = error_of(zip_of("archive/data.pkl"));
  CHECK(saved.starts_with("m: torch.save wrote this file"));
  CHECK(saved.find("safetensors.torch.save_file(model.state_dict(), 'model.safetensors')") != std::string::npos);
  CHECK(error_of(zip_of("net/constants.pkl")).starts_with("m: this is a program of TorchScript"));
  CHECK(error_of(zip_of("model.onnx")) ==
        "m: this is a zip file, and neither a model of Keras (.keras) nor arrays of numpy.savez (.npz); unzip it, and "
        "give the model that is in it");
}

TEST_CASE("a file that is given for weights and is none is known by its content", "[errors][import]") {
  const test::TemporaryFolder folder;
  const std::string path = folder / "w";
  const auto error_of_weights = [&](const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
    const auto tensors = load_tensors(path);
    return tensors ? "" : tensors.error().message;
  };
  CHECK(error_of_weights("\x80\x02}q\0."s).starts_with("this is a pickle of Python"));
  CHECK(error_of_weights("rnncart\n1").starts_with("this is an artifact"));
  CHECK(error_of_weights("\x93NUMPY\1\0").starts_with("this is an array of NumPy"));
  const std::string as_model = "; give it as the model, without other weights";
  CHECK(error_of_weights("\x08\x07\x12\x07pytorch") ==
        "this is an ONNX model, which has weights of its own" + as_model);
  CHECK(error_of_weights("\x1c\0\0\0TFL3\0\0"s) ==
        "this is a model of TensorFlow Lite, which has weights of its own" + as_model);
  CHECK(error_of_weights("\x89HDF\r\n\x1a\n") == "this is a model of Keras, which has weights of its own" + as_model);
  CHECK(error_of_weights(R"({"layers": []})").starts_with("this is JSON; weights by name are a safetensors or .npz"));
  CHECK(error_of_weights("cell a { input x : f32 output x }") ==
        "this is no file of weights; weights by name are a safetensors or .npz file");
  CHECK(error_of_weights("\x80\1\0\0\0\0\0\0{"s).find("the file is cut short or no safetensors file") !=
        std::string::npos);
  CHECK(error_of_weights("\x88\0\0"s).find("the size of a safetensors header alone takes 8") != std::string::npos);
  CHECK(error_of_weights("\x90\2\0\0\0\0\0\0"s).find("the file is cut short") != std::string::npos);
}
