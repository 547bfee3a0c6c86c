// rnnc compile of networks: text, and what other programs made, as objects that C and C++ programs link, with the bits
// of run.
#include "compiler/llvm/resolve_target.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/onnx_file.hpp"
#include "tests/support/run_network.hpp"
#include "tests/tools/network_program.hpp"

namespace rnnc::test {
namespace {

const std::string kTests = RNNC_SOURCE_DIR "/tests/conformance/", kExamples = RNNC_SOURCE_DIR "/examples/";

struct Case {
  std::string model;  // a file, or the text of a network
  std::string weights = {};
  bool streams = false;
  bool once = false;  // y is of no time
};

const std::vector<Case> kCases = {
    {"network n { input x : seq f32[5] a = lstm<H=19>(x) b = lstm<H=19>(a) param W : f32[3, 19] param c : f32[3] "
     "output W @ b + c }",
     {},
     true},
    {"network n { input x : seq f32[5] a = bidirectional lstm<H=7>(x) b = bidirectional gru<H=16>(a) output b }"},
    {"network n { input x : seq f32[5] a = reverse gru<H=9>(x) output concat(mean(a), sum(x), max(a), first(a)) }",
     {},
     false,
     true},
    {"network n { input x : seq f32[5] param h0 : f32[9] a = gru<H=9>(x) from (h = tanh(h0)) output last(a) }",
     {},
     true,
     true},
    {"network n { input x : seq f32[5] a = lstm<H=4>(x) b = lstm<H=4>(concat(x, a.h)) from (h = a.c) output b * x[0:4] "
     "}"},
    {kTests + "audio/nam_two_layers.nam", {}, true},
    {kTests + "onnx/chains/torch_two_layers.onnx"},
    {kTests + "onnx/chains/keras_tagger_opset11.onnx", {}, true},
    {kTests + "onnx/chains/gemm_of_last_step.onnx", {}, true, true},
    {kTests + "onnx/chains/encoder_to_decoder.onnx"},
    {kExamples + "torch/lstm.rnn", kExamples + "torch/lstm.safetensors", true},
};

// What `compile` and `run` are told of the model, whose text and weights are made here where it is no file.
std::string flags_of(const Folder& folder, const Case& one) {
  if (!one.model.starts_with("network")) {
    const std::string weights = one.weights.empty() ? "" : " --weights '" + one.weights + "'";
    return "'" + one.model + "'" + weights + " ";
  }
  const ir::Network network = network_of(one.model);
  Random random(1);
  save_safetensors(folder / "w.safetensors", tensors_of(network, random_weights(network, random))).value();
  folder.write("n.rnn", one.model);
  return "n.rnn --weights w.safetensors ";
}

std::int64_t input_size(const std::string& header) {
  const std::string define = "#define NET_INPUT_SIZE ";
  return std::stoll(header.substr(header.find(define) + define.size()));
}

std::string compile(const Folder& folder, const std::string& model, const std::string& target) {
  const Finished made = folder.rnnc("compile " + model + "-o net.o --header net.h --name net --target " + target);
  INFO(model << "\n" << made.err);
  REQUIRE(made.code == 0);
  return folder.text("net.h");
}

// `one` is compiled; run must give what the program writes.
void check_program(const Folder& folder, const Case& one, const std::string& model, const std::string& compiler,
                   std::int64_t steps, std::int64_t batch) {
  const std::int64_t inputs = input_size(folder.text("net.h"));
  Random random(static_cast<std::uint64_t>(steps * batch));
  const std::vector<float> x = random.vector(static_cast<std::size_t>(steps * batch * inputs), -1, 1);
  folder.write("x.npy", {steps, batch, inputs}, x);
  folder.write("x.bin", bytes(x));
  const Finished run = folder.rnnc("run " + model + "--isa x86-64-v3 --input x.npy --output y.npy");
  INFO(compiler << ", " << steps << " steps, batch " << batch << "\n" << run.err);
  REQUIRE(run.code == 0);
  const std::string sizes = "-DT=" + std::to_string(steps) + " -DB=" + std::to_string(batch) +
                            (one.once ? " -DY_ROWS=B" : "") + (one.streams ? " -DSTREAMS" : "");
  const int code = shell(folder, compiler + sizes + " net.o -o program && ./program");
  INFO(folder.text("log.txt"));
  REQUIRE(code == 0);
  CHECK(folder.text("y.bin") == bytes(folder.values("y.npy")));
}

}  // namespace

TEST_CASE("objects of networks link into programs of C and C++ and give the bits of run", "[tools]") {
  if (!compiler::resolve_target("x86-64-v3")) return;
  for (const Case& one : kCases) {
    INFO(one.model);
    const Folder folder;
    const std::string model = flags_of(folder, one);
    folder.write("main.c", kNetworkProgram);
    folder.write("main.cpp", kNetworkProgram);
    const std::string header = compile(folder, model, "x86-64-v3");
    CHECK((header.find("int net_step(") != std::string::npos) == one.streams);
    check_program(folder, one, model, "cc" + kC + "main.c ", 7, 3);
    if (&one == &kCases.front()) check_program(folder, one, model, "c++" + kCpp + "main.cpp ", 8, 1);
    compile(folder, model, "x86-64-v2,x86-64-v3");
    check_program(folder, one, model, "cc" + kC + "main.c ", 11, 17);
  }
}

TEST_CASE("an object of a network calls nothing but memcpy and memset, and shows what the header declares", "[tools]") {
  for (const Case& one : kCases) {
    INFO(one.model);
    const Folder folder;
    const std::string model = flags_of(folder, one);
    for (const std::string target : {"x86-64-v2", "x86-64-v4", "x86-64-v2,x86-64-v3", "aarch64-generic"}) {
      if (target.starts_with("aarch64") && !has_program("aarch64-linux-gnu-nm")) continue;
      compile(folder, model, target);
      const std::string nm = target.starts_with("aarch64") ? "aarch64-linux-gnu-nm" : "nm";
      REQUIRE(shell(folder, nm + " -u net.o | awk '{print $2}' >used.txt; " + nm +
                                " -g --defined-only net.o | awk '{print $3}' >own.txt") == 0);
      const std::string used = folder.text("used.txt");
      INFO(used);
      CHECK((used == "memcpy\nmemset\n" || used == "memset\n" || used.empty() || used == "memcpy\n"));
      CHECK(folder.text("own.txt") == (one.streams ? "net_run\nnet_start\nnet_step\n" : "net_run\nnet_start\n"));
    }
  }
}

TEST_CASE("cells of a kind have their code once in an object, as many layers as there are", "[tools]") {
  const auto code_bytes = [](int layers) {
    const Folder folder;
    std::string text = "network n { input x : seq f32[32] l0 = lstm<H=32>(x) ";
    for (int i = 1; i < layers; ++i) text += "l" + std::to_string(i) + " = lstm<H=32>(l" + std::to_string(i - 1) + ") ";
    compile(folder, flags_of(folder, {text + "output l" + std::to_string(layers - 1) + " }"}), "x86-64-v3");
    REQUIRE(shell(folder, "size -A net.o | awk '$1 ~ /^.text/ {bytes += $2} END {print bytes}' >bytes.txt") == 0);
    return std::stod(folder.text("bytes.txt"));
  };
  CHECK(code_bytes(6) < 2 * code_bytes(1));
}

TEST_CASE("what an object cannot do is refused with what to use instead", "[tools]") {
  using namespace onnx;
  const Folder folder;
  const Dims W = {1, 4, 2}, R = {1, 4, 1};
  folder.write("m.onnx",
               model(node("LSTM", {"X", "W", "R", "", "lengths"}, {"Y"}) + initializer("W", W) + initializer("R", R) +
                     initializer("lengths", {2}, {3, 1}) + input("X", {-1, -1, 2}) + output("Y")));
  const Finished refused = folder.rnnc("compile m.onnx -o m.o --header m.h");
  CHECK(refused.code == 4);
  CHECK(refused.err ==
        "rnnc: m.onnx: the model says how long its sequences are, which an object cannot; compile it to an artifact "
        "(-o m.rnnc), whose `run` takes --lengths\n");
  CHECK(!folder.has("m.o"));
}

}  // namespace rnnc::test
