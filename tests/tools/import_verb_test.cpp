// rnnc import, and models of other programs in place of a text.
#include "tests/support/onnx_file.hpp"
#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

const std::string kTorch = RNNC_SOURCE_DIR "/tests/conformance/torch/";

}  // namespace

TEST_CASE("import writes text and weights that run as the model does", "[tools]") {
  const Folder folder;
  const TensorMap data = load_safetensors(kTorch + "gru.safetensors").value();
  folder.write("x.npy", data.at("2x2.x").shape, data.at("2x2.x").to_f32());
  REQUIRE(folder.rnnc("import '" + kTorch + "gru.safetensors' --prefix 2x2 -o model.rnn").code == 0);
  CHECK(folder.text("model.rnn").starts_with("network model {\n  input x : seq f32[3]\n"));
  const Finished run = folder.rnnc("run model.rnn --weights model.safetensors --input x.npy --output y.npy");
  INFO(run.err);
  REQUIRE(run.code == 0);
  TensorMap layers;
  for (const auto& [name, tensor] : data)
    if (name.starts_with("2x2.weight") || name.starts_with("2x2.bias")) layers[name] = tensor;
  save_safetensors(folder / "alone.safetensors", layers).value();
  REQUIRE(folder.rnnc("run alone.safetensors --input x.npy --output direct.npy").code == 0);
  CHECK(folder.values("direct.npy") == folder.values("y.npy"));
  CHECK(folder.rnnc("verify alone.safetensors --steps 5").code == 0);
}

TEST_CASE("import leaves nothing behind where the model cannot be imported", "[tools]") {
  const Folder folder;
  check_fails(folder, "import '" + kTorch + "gru.safetensors' -o y.rnn", 4,
              "in the order in which they run: \"1x1.\", \"1x2.\"");
  CHECK(!folder.has("y.rnn"));
  check_fails(folder, "import '" + kTorch + "gru.safetensors' --prefix 1x1 -o y.txt", 2, "does not end in .rnn");
  check_fails(folder, "import nothing.onnx -o y.rnn", 3, "nothing.onnx");
  folder.write("model.safetensors", folder.text("err.txt"));
  check_fails(folder, "import model.safetensors -o model.rnn --weights model.safetensors", 2,
              "would overwrite model.safetensors");
}

TEST_CASE("a recurrent node of an ONNX model is taken alone, its states by their names there", "[tools]") {
  const Folder folder;
  const std::string onnx = std::string(RNNC_SOURCE_DIR) + "/tests/conformance/onnx/";
  const Tensor x = load_safetensors(onnx + "data.safetensors").value().at("lstm_forward.x");
  folder.write("x.npy", x.shape, x.to_f32());
  const std::string model = "'" + onnx + "nested_in_if.onnx'";
  REQUIRE(folder.rnnc("run " + model + " --node lstm_forward --input x.npy --output y.npy").code == 0);
  REQUIRE(folder.rnnc("run '" + onnx + "lstm_forward.onnx' --input x.npy --output whole.npy").code == 0);
  CHECK(folder.values("y.npy") == folder.values("whole.npy"));
  REQUIRE(folder.rnnc("import " + model + " --node lstm_reverse -o reverse.rnn").code == 0);
  CHECK(folder.text("reverse.rnn").find("lstm_reverse = reverse lstm<H=5>(x)") != std::string::npos);
  const Folder other;
  check_fails(other, "inspect " + model, 4,
              "can be imported alone, by --node or ImportOptions::node: \"lstm_reverse\"");
  check_fails(other, "inspect --cell lstm --node lstm", 2,
              "MODEL: missing; --node, --const, --shape, --carry, --take, --like, --prefix and --relu are of one");
  check_fails(other, "inspect '" + kTorch + "gru.safetensors' --node lstm", 2,
              "--node is for a model of ONNX, TensorFlow Lite or Keras, which this is not");
  check_fails(other, "inspect '" + onnx + "lstm_forward.onnx' --prefix lstm", 2,
              "--prefix and --relu are for a state_dict");
}

TEST_CASE("an ONNX model is imported like ONNX Runtime where --like says so", "[tools]") {
  const Folder folder;
  const std::string model = "'" + std::string(RNNC_SOURCE_DIR) + "/tests/conformance/onnx/lstm_clip.onnx'";
  REQUIRE(folder.rnnc("import " + model + " --like onnxruntime -o like.rnn").code == 0);
  REQUIRE(folder.rnnc("import " + model + " -o text.rnn").code == 0);
  CHECK(folder.text("like.rnn").find("h' = o * tanh(c')\n") != std::string::npos);
  CHECK(folder.text("text.rnn").find("h' = o * tanh(clip(c', ") != std::string::npos);
  for (const char* verb : {"inspect", "verify", "bench --batch 1 --steps 2", "compile -o m.rnnc"}) {
    INFO(verb);
    CHECK(folder.rnnc(std::string(verb) + " " + model + " --like onnxruntime").code == 0);
  }
  CHECK(folder.rnnc("run --help").out.find("--like onnxruntime") != std::string::npos);
}

// The weights of a model are in memory once: what is copied out of a file is given back.
// Not with the address sanitizer, which keeps freed memory for a while.
#ifndef __SANITIZE_ADDRESS__
TEST_CASE("importing takes the memory of the model's size, not twice it", "[tools]") {
  const Folder folder;
  const auto write_lstm = [&](const std::string& name, std::int64_t units) {
    using namespace onnx;
    const Dims W = {1, 4 * units, units};
    const std::string graph = node("LSTM", {"X", "W", "R"}, {"Y"}) + initializer("W", W) + initializer("R", W) +
                              input("X", {-1, -1, units}) + output("Y");
    folder.write(name + ".onnx", onnx::model(graph));
    TensorMap tensors;
    const std::vector<float> zeros(static_cast<std::size_t>(4 * units * units));
    for (const char* which : {"weight_ih_l0", "weight_hh_l0"})
      tensors[which] = Tensor::from_f32({4 * units, units}, zeros);
    save_safetensors(folder / (name + ".safetensors"), tensors).value();
  };
  constexpr std::int64_t kUnits = 1024;
  constexpr double kBytes = 2.0 * 4 * kUnits * kUnits * sizeof(float);
  write_lstm("small", 2);
  write_lstm("large", kUnits);
  for (const std::string format : {".onnx", ".safetensors"}) {
    INFO(format);
    const double extra = folder.peak_bytes("import large" + format + " -o y.rnn --weights w.safetensors") -
                         folder.peak_bytes("import small" + format + " -o y.rnn --weights w.safetensors");
    INFO(extra / kBytes << " times the model");
    CHECK(extra > 0.5 * kBytes);
    CHECK(extra < 1.15 * kBytes);  // a second copy of each gate makes 1.19
  }
}
#endif

TEST_CASE("what is said of an ONNX graph's inputs and outputs is checked", "[tools]") {
  const Folder folder;
  const std::string onnx = std::string(RNNC_SOURCE_DIR) + "/tests/conformance/onnx/fronts/";
  const std::string model = "inspect '" + onnx + "frames_by_name.onnx' ";
  check_fails(folder, model + "--const sr=1", 2, "--const sr: the graph has no such input; it has frame_in, h");
  check_fails(folder, model + "--const h=a", 2, "'a' is no list of numbers such as 16000 or 0.5,1");
  check_fails(folder, model + "--shape h=1y1", 2, "'1y1' is no shape such as 1x512 or ?x512");
  check_fails(folder, model + "--shape h=1x2x4", 2, "the shape [1,2,4] contradicts that of the file, [1,1,4]");
  check_fails(folder, model + "--shape k=1", 2,
              "a shape is given for \"k\", but the graph's inputs are \"frame_in\", \"h\"");
  check_fails(folder, model + "--carry h=hm", 2, "there is no output \"hm\" to carry on; the graph's are \"vad\"");
  check_fails(folder, model + "--carry k=hn", 2, "there is no input \"k\" to carry on; the graph's are \"frame_in\"");
  check_fails(folder, model + "--carry h=vad", 2, "cannot be carried on by \"vad\", which is no output of its size");
  check_fails(folder, model + "--take z", 2,
              "there is no output \"z\"; the graph's are \"vad\", \"frame_out\", \"hn\"");
  check_fails(
      folder, "inspect '" + kTorch + "gru.safetensors' --prefix 1x1 --take y", 2,
      "--const, --shape, --carry, --take and --like are for a model of ONNX, TensorFlow Lite or Keras, which this is");
  check_fails(folder, model + "--like onnx", 2, "--like: 'onnx' is none of onnxruntime");
  check_fails(folder, "run m.rnnc --like onnxruntime --input x.npy --output y.npy", 2,
              "--like: an artifact was compiled with its own; leave it out");
  const Finished taken = folder.rnnc(model + "--take frame_out");
  CHECK(taken.code == 0);
  CHECK(taken.err.empty());
  const std::size_t first = taken.out.find("output frame_out = "), second = taken.out.find("output vad = ");
  CHECK((first < second && second != std::string::npos));
}

}  // namespace rnnc::test
