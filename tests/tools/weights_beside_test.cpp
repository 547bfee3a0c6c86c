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
  check_fails(folder, "run mine.rnn --input x.npy --output y.npy", 3, "give --weights W.safetensors");
}

}  // namespace rnnc::test
