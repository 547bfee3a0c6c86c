// What rnnc import wrote is run by the name of the text alone.
#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

const std::string kModel = RNNC_SOURCE_DIR "/tests/conformance/torch/gru.safetensors --prefix 1x1";

}  // namespace

TEST_CASE("a text finds the weights that import wrote beside it", "[tools]") {
  const Folder folder;
  REQUIRE(folder.rnnc("import " + kModel + " -o mine.rnn").code == 0);
  const auto inputs = folder.rnnc("inspect mine.rnn").out;
  const std::size_t at = inputs.find("seq f32[");
  REQUIRE(at != std::string::npos);
  const std::int64_t size = std::stoll(inputs.substr(at + 8));
  folder.write("x.npy", {3, 1, size}, std::vector<float>(static_cast<std::size_t>(3 * size), 0.5F));
  const std::vector<float> given = y_of(folder, "run mine.rnn --weights mine.safetensors --input x.npy --output y.npy");
  CHECK(y_of(folder, "run mine.rnn --input x.npy --output y.npy") == given);
  CHECK(folder.rnnc("bench mine.rnn --steps 2 --rounds 3").code == 0);
}

TEST_CASE("a file of the same name with other tensors is not taken", "[tools]") {
  const Folder folder;
  REQUIRE(folder.rnnc("import " + kModel + " -o mine.rnn").code == 0);
  save_safetensors(folder / "mine.safetensors", {{"other", Tensor::from_f32({1}, std::vector<float>{1})}}).value();
  folder.write("x.npy", {3, 1, 3}, std::vector<float>(9, 0.5F));
  check_fails(folder, "run mine.rnn --input x.npy --output y.npy", 3,
              "give --weights W.safetensors (mine.safetensors is not taken: its tensors are not the parameters of the "
              "text)");
}

TEST_CASE("a verb that needs weights asks for them, and not for the dims that they tell", "[tools]") {
  const Folder folder;
  const std::string wanted = "no tensor for parameter Wi f32[H,I] of cell lstm; give --weights W.safetensors";
  for (const char* const command : {"run --cell lstm --input x.npy --output y.npy", "compile --cell lstm -o m.o",
                                    "compile --cell lstm -o m.rnnc", "prune --cell lstm --keep 0.5 -o p.safetensors"})
    check_fails(folder, command, 3, wanted);
  check_fails(folder, "verify --cell lstm", 2, "standard cell lstm:3:6: --dim: cell lstm: dim I has no value");
}

TEST_CASE("import of a state_dict into a text of its own name writes the weights beside it, where they are found",
          "[tools]") {
  const Folder folder;
  const Tensor W = Tensor::from_f32({2, 3}, {1, 2, 3, 4, 5, 6}), U = Tensor::from_f32({2, 2}, {0, 0, 0, 0});
  save_safetensors(folder / "kws.safetensors", {{"weight_ih_l0", W}, {"weight_hh_l0", U}}).value();
  const std::string before = folder.text("kws.safetensors");
  const Finished finished = folder.rnnc("import kws.safetensors -o kws.rnn");
  INFO(finished.err);
  REQUIRE(finished.code == 0);
  CHECK(finished.out == "kws.rnn: model\nkws_weights.safetensors: 3 tensors\n");
  CHECK(folder.text("kws.safetensors") == before);
  folder.write("x.npy", {1, 1, 3}, {1, 0, 0});
  CHECK(y_of(folder, "run kws.rnn --input x.npy --output y.npy").at(0) == Approx(0.76159416));  // tanh(1)
}

TEST_CASE("a state_dict with a head says how all of its modules are imported", "[tools]") {
  const Folder folder;
  const auto zeros = [](Shape shape) {
    std::int64_t count = 1;
    for (const std::int64_t size : shape) count *= size;
    return Tensor::from_f32(shape, std::vector<float>(static_cast<std::size_t>(count)));
  };
  TensorMap tensors = {{"lstm.weight_ih_l0", zeros({8, 3})},
                       {"lstm.weight_hh_l0", zeros({8, 2})},
                       {"fc.weight", zeros({5, 2})},
                       {"fc.bias", zeros({5})}};
  save_safetensors(folder / "kws.safetensors", tensors).value();
  check_fails(folder, "inspect kws.safetensors", 4,
              "; to import all, name the modules in the order in which they run: --prefix lstm,fc");
  CHECK(folder.rnnc("inspect kws.safetensors --prefix lstm,fc").code == 0);
  tensors["scale"] = zeros({5});
  save_safetensors(folder / "kws.safetensors", tensors).value();
  CHECK(folder.rnnc("inspect kws.safetensors").err.find("to import all") == std::string::npos);
}

}  // namespace rnnc::test
