// rnnc bench beside ONNX Runtime and PyTorch: real ones where they are installed, and programs in their place that show
// what bench says when something is wrong with them.
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/errors/onnx_lstm.hpp"
#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

namespace fs = std::filesystem;

const std::string kData = RNNC_SOURCE_DIR "/tests/conformance/";
const std::string kOnnx = "bench '" + kData + "onnx/gru_forward.onnx' --rounds 3 ";
const std::string kTorch = "bench --cell rnn --dim I=2 --dim H=3 --steps 2 --rounds 3 ";

bool has_note(const Finished& finished, const std::string& text) {
  return finished.err.find("note: " + text) != std::string::npos;
}

std::string library(const Folder& folder, const std::string& name, const std::string& source) {
  folder.write(name + ".c", source);
  const std::string command = "cc -shared -fPIC '" + folder / (name + ".c") + "' -o '" + folder / (name + ".so") + "'";
  REQUIRE(std::system(command.c_str()) == 0);
  return folder / (name + ".so");
}

// A program in the place of Python, which answers as tools/torch_peer.py does. `y` are floats as octal bytes of printf.
std::string python(const Folder& folder, const std::string& y, const std::string& then) {
  folder.write("python",
               "#!/bin/bash\n"
               "[[ $2 == *find_spec* ]] && { echo True; exit; }\n"
               "printf '" +
                   y + "' > \"$3/y.f32\"\n" + then);
  fs::permissions(folder / "python", fs::perms::owner_all);
  return folder / "python";
}

// The flags that time ONNX Runtime too; none, and a word about it, where it is not installed.
std::string against_onnx_runtime(const Folder& folder) {
  const char* const given = std::getenv("RNNC_TEST_ONNXRUNTIME");
  const std::string against =
      " --rounds 3 --against onnxruntime" + (given != nullptr ? " --library '" + std::string(given) + "'" : "");
  const Finished finished = folder.rnnc("bench '" + kData + "onnx/gru_forward.onnx'" + against);
  if (finished.err.find("no ONNX Runtime is found") == std::string::npos) return against;
  WARN("no ONNX Runtime is installed; RNNC_TEST_ONNXRUNTIME may name its library");
  return "";
}

const std::string kAnswers = "echo ready 9.8\nwhile read -r line; do echo 4000000 5000000; done\n";

}  // namespace

TEST_CASE("bench says how to get ONNX Runtime where there is none, or no right one", "[tools]") {
  const Folder folder;
  const std::string against = kOnnx + "--against onnxruntime --library ";
  CHECK(has_note(check_fails(folder, against + "none.so", 4, "--library cannot be loaded: none.so"),
                 "install libonnxruntime-dev where the distribution has it, or run `npm install --ignore-scripts "
                 "onnxruntime-node`"));
  const std::string other = library(folder, "other", "int other(void) { return 0; }\n");
  check_fails(folder, against + other, 4, "other.so is no ONNX Runtime: it has no OrtGetApiBase");
  const std::string old = library(folder, "old",
                                  "static const void* api(unsigned version) { return version < 8 ? \"\" : 0; }\n"
                                  "static const char* version(void) { return \"1.7.2\"; }\n"
                                  "static const struct { const void* (*a)(unsigned); const char* (*v)(void); } base = "
                                  "{api, version};\nconst void* OrtGetApiBase(void) { return &base; }\n");
  check_fails(folder, against + old, 4, "ONNX Runtime 1.7.2 is too old; version 1.8 or newer is needed");
  check_fails(folder, kOnnx + "--library none.so", 2, "--library: goes with --against");
}

TEST_CASE("bench has the results of PyTorch's place compared, and its times in the table and the last line",
          "[tools]") {
  const Folder folder;
  const std::string right = python(folder, "\\0\\0\\0\\0", "echo failed 'RuntimeError: no such thing'\n");
  check_fails(folder, kTorch + "--against torch --library " + right, 4, "PyTorch: RuntimeError: no such thing");
  const std::string silent = python(folder, "\\0\\0\\0\\0", "exit 3\n");
  check_fails(folder, kTorch + "--against torch --library " + silent, 4, "python ended before it was ready");
  // 1e30 is no value of a tanh; errors are relative to it.
  std::string wrong_y;
  for (int i = 0; i < 6; ++i) wrong_y += "\\312\\362\\111\\161";
  const Finished wrong = folder.rnnc(kTorch + "--against torch --library " + python(folder, wrong_y, kAnswers));
  CHECK(wrong.code == 1);
  INFO(wrong.out << wrong.err);
  CHECK(wrong.err.find("mismatch with PyTorch: error 1 at y[t=0, b=0, 0]") != std::string::npos);
  CHECK(wrong.out.find("PyTorch us") != std::string::npos);
  CHECK(wrong.out.find("      4000  ") != std::string::npos);
  CHECK(wrong.out.find(" times as fast as PyTorch 9.8 (one thread, T=2, B=1)\n") != std::string::npos);
  // A peer of 4 ms a call is thousands of times slower.
  const Finished two = folder.rnnc(kTorch + "--threads 1,2 --against torch --library " + folder / "python");
  CHECK(two.out.find("rnnc is ") != std::string::npos);
  CHECK(two.out.substr(two.out.find("rnnc is ")).find("e+") == std::string::npos);
  const Finished json = folder.rnnc(kTorch + "--json --against torch --library " + folder / "python");
  const auto object = nlohmann::json::parse(json.out);
  CHECK(object.at("baseline").at("name") == "torch");
  CHECK(object.at("baseline").at("version") == "9.8");
  CHECK(object.at("baseline").at("time_us_min") == 4000);
  CHECK(object.at("baseline").at("time_us_median") == 4000);
}

TEST_CASE("bench refuses a baseline whose output has another size", "[tools]") {
  const Folder folder;
  const std::string torch = " --against torch --library " + python(folder, "\\0\\0\\0\\0", kAnswers);
  check_fails(folder, kTorch + torch, 4, "--against torch: output 1 has 1 numbers there, and another count in rnnc");
  folder.write(
      "scalar.rnn",
      "cell rnn { input x : f32[2]  state h : f32[3]  param W : f32[3, 2]  param U : f32[3, 3]  param b : f32  "
      "h' = tanh(W @ x + U @ h + b)  output h' }");
  check_fails(folder, "bench scalar.rnn --rounds 3" + torch, 4,
              "parameter b is a scalar, and no vector as torch.nn has");
}

TEST_CASE("bench names what a baseline cannot run", "[tools]") {
  const Folder folder;
  const std::string torch = " --against torch --library " + python(folder, "\\0\\0\\0\\0", kAnswers);
  check_fails(folder, "bench --cell ligru --dim I=2 --dim H=3" + torch, 4,
              "torch.nn has no cell ligru; it has lstm, gru, rnn and rnn_relu");
  check_fails(folder, kOnnx + torch, 4, "and not model; --against onnxruntime runs ONNX files");
  check_fails(folder, kTorch + "--against torch --library /bin/false", 4, "/bin/false is no Python that has PyTorch");
  check_fails(folder, kTorch + "--against onednn --library x", 2,
              "--library: goes with --against onnxruntime or torch");
}

TEST_CASE("bench counts the layers that lie one behind the other, and their directions", "[tools]") {
  const Folder folder;
  const auto layers_of = [&](const std::string& model) {
    const auto fields = nlohmann::json::parse(folder.rnnc("bench " + model + " --rounds 3 --json").out);
    return std::pair(fields.at("layers").get<int>(), fields.at("directions").get<int>());
  };
  CHECK(layers_of("'" RNNC_SOURCE_DIR "/examples/onnx/tagger.onnx'") == std::pair(2, 2));  // of each direction a scan
  CHECK(layers_of("--cell gru --dim I=2 --dim H=3 --layers 3 --bidirectional") == std::pair(3, 2));
  folder.write("m.rnn", "network m { input x : seq f32[2] a = gru<H=3>(x) b = reverse gru<H=3>(a) output b }");
  CHECK(layers_of("m.rnn") == std::pair(2, 1));
}

TEST_CASE("bench takes steps and sequences from the file where it fixes them", "[tools]") {
  const Folder folder;
  const auto fields = nlohmann::json::parse(folder.rnnc(kOnnx + "--json").out);
  CHECK(fields.at("steps") == 7);
  CHECK(fields.at("batch") == 3);
  const auto any = nlohmann::json::parse(
      folder.rnnc("bench '" + kData + "onnx/exported/tokens_any_batch.onnx' --rounds 3 --json").out);
  CHECK(any.at("steps") == 100);
  CHECK(any.at("batch") == 1);
  CHECK(any.at("max_error") < 1e-5);
}

TEST_CASE("bench agrees with ONNX Runtime on ONNX files, where it is installed", "[tools]") {
  const Folder folder;
  const std::string against = against_onnx_runtime(folder);
  if (against.empty()) return;
  int ran = 0;
  for (const char* part : {"onnx", "onnx/exported", "onnx/fronts", "onnx/chains"})
    for (const auto& entry : fs::directory_iterator(kData + part)) {
      if (entry.path().extension() != ".onnx") continue;
      const Finished finished = folder.rnnc("bench '" + entry.path().string() + "' --like onnxruntime" + against);
      INFO(entry.path() << "\n" << finished.out << finished.err);
      CHECK((finished.code == 0 || finished.code == 4));  // 4: what one of the two does not run
      ran += finished.code == 0;
    }
  CHECK(ran > 60);
}

TEST_CASE("an input without the batch, one vector for all sequences, is refused for several", "[tools]") {
  const Folder folder;
  OnnxLstm lstm;
  lstm.before = onnx::node("Add", {"X", "k"}, {"V"});
  lstm.inputs[0] = "V";
  lstm.more += onnx::input("k", {3});
  folder.write("one.onnx", lstm.file());
  const std::string against = against_onnx_runtime(folder);
  if (against.empty()) return;
  const Finished one = folder.rnnc("bench one.onnx --batch 1" + against);
  INFO(one.out << one.err);
  CHECK(one.code == 0);
  check_fails(folder, "bench one.onnx --batch 2" + against, 4,
              "the graph takes one k for all sequences, and rnnc one for each; give --batch 1");
}

TEST_CASE("states whose sizes the file leaves open have those that are given", "[tools]") {
  const Folder folder;
  OnnxLstm lstm;
  lstm.x = {-1, 3};
  lstm.before = onnx::node("Unsqueeze", {"X", "first"}, {"Z"});
  lstm.inputs = {"Z", "W", "R", "B", "", "h", "c"};
  lstm.outputs = {"Y", "hn", "cn"};
  lstm.more += onnx::input("h", {-1, -1, -1}) + onnx::input("c", {1, -1, -1}) + onnx::initializer("first", {1}, {0});
  lstm.result += onnx::output("hn") + onnx::output("cn");
  folder.write("open.onnx", lstm.file());
  const std::string against = against_onnx_runtime(folder);
  if (against.empty()) return;
  for (const char* batch : {"1", "4"}) {
    const Finished finished = folder.rnnc("bench open.onnx --shape h=1x?x2 --shape c=1x?x2 --steps 5 --batch " +
                                          std::string(batch) + against);
    INFO(finished.out << finished.err);
    CHECK(finished.code == 0);
    CHECK(finished.out.find("times as fast as ONNX Runtime") != std::string::npos);
  }
}

TEST_CASE("bench agrees with PyTorch on state_dicts and layers, where it is installed", "[tools]") {
  const Folder folder;
  if (folder.rnnc(kTorch + "--against torch").err.find("no python3 has PyTorch") != std::string::npos) {
    WARN("no python3 has PyTorch");
    return;
  }
  for (const char* cell : {"lstm", "gru", "rnn", "rnn_relu"})
    CHECK(folder
              .rnnc("bench --cell " + std::string(cell) +
                    " --layers 2 --bidirectional --dim I=3 --dim H=5 --steps 7 "
                    "--batch 3 --rounds 3 --against torch")
              .code == 0);
  for (const char* file : {"lstm", "gru", "rnn"})
    CHECK(folder
              .rnnc("bench '" + kData + "torch/" + file +
                    ".safetensors' --prefix 2x2 --steps 7 --batch 3 --rounds 3 "
                    "--against torch")
              .code == 0);
}

}  // namespace rnnc::test
