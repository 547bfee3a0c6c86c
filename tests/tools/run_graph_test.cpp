// rnnc run on ONNX graphs: their names, their sizes, and the shapes of their states.
#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

const std::string kGraphs = RNNC_SOURCE_DIR "/tests/conformance/onnx/";

// Writes `count` values that differ.
void write_values(const Folder& folder, const std::string& name, Shape shape, std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i * 7 % 11) / 20 - 0.25F;
  folder.write(name, std::move(shape), values);
}

}  // namespace

TEST_CASE("a final state of a file for one sequence is refused for several, which it has no place for", "[tools]") {
  const Folder folder;
  write_values(folder, "one.npy", {3, 1, 4}, 12);
  const std::string run = "run " + kGraphs + "fronts/packed_states.onnx --output y.npy ";
  REQUIRE(folder.rnnc(run + "--input one.npy --final-state stateN=f.npy --final-state state2=g.npy").code == 0);
  CHECK(load_npy(folder / "f.npy").value().shape == Shape{2, 1, 3});
  CHECK(folder.values("f.npy") == folder.values("g.npy"));
  check_fails(
      folder, run + "--input two.npy --final-state stateN=f2.npy", 3,
      "--final-state stateN: the file has it for one sequence, and x is of 2; ask for state2 instead, f32[B,H]");
}

}  // namespace rnnc::test
