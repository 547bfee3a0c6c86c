// rnnc run on ONNX graphs: their names, their sizes, and the shapes of their states.
#include "tests/support/onnx_file.hpp"
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
  const Folder folder, other;
  const std::string run = "run " + kGraphs + "fronts/packed_states.onnx --input x.npy --output y.npy ";
  write_values(folder, "x.npy", {3, 1, 4}, 12);
  REQUIRE(folder.rnnc(run + "--final-state stateN=f.npy --final-state state2=g.npy").code == 0);
  CHECK(load_npy(folder / "f.npy").value().shape == Shape{2, 1, 3});
  CHECK(folder.values("f.npy") == folder.values("g.npy"));
  write_values(other, "x.npy", {3, 2, 4}, 24);
  check_fails(
      other, run + "--final-state stateN=final.npy", 3,
      "--final-state stateN: the file has it for one sequence, and x is of 2; ask for state2 instead, f32[B,H]");
}

TEST_CASE("a file fixed at one step that takes and gives its states runs any number of steps", "[tools]") {
  const Folder folder, other;
  const std::string run = "run " + kGraphs + "fronts/batch_first_states.onnx --input x.npy --output y.npy ";
  write_values(folder, "x.npy", {3, 1, 4}, 12);
  REQUIRE(folder.rnnc(run + "--final-state hn=f.npy").code == 0);
  CHECK(load_npy(folder / "y.npy").value().shape == Shape{3, 1, 3});
  const std::vector<float> y = folder.values("y.npy"), f = folder.values("f.npy");
  CHECK(std::vector<float>(y.end() - 3, y.end()) == std::vector<float>(f.end() - 3, f.end()));
  write_values(other, "x.npy", {1, 3, 4}, 12);
  check_fails(other, run, 3,
              "x is of 1 step and 3 sequences, but the model's file is of any number of steps and 1 sequence; add "
              "--layout btf if x lies so; for one step of several sequences give the states that they go on from");
}

TEST_CASE("a file that is called for each step runs any number of streams side by side", "[tools]") {
  // One is a graph of one step, the other has sequences of one step; both are fixed at one stream.
  constexpr int features = 4;
  for (const auto& [name, states] : {std::pair("fronts/batch_first_states.onnx", "--state h=h.npy --state c=h.npy"),
                                     {"fronts/packed_states.onnx", "--state state2=state2.npy"}}) {
    INFO(name);
    const Folder folder;
    const std::string run = "run " + kGraphs + name + " ";
    const Finished described = folder.rnnc("describe " + kGraphs + name);
    CHECK(described.out.find("one call is one step; rnnc runs any number of steps and sequences\n") !=
          std::string::npos);
    CHECK(described.out.find("fixed at") == std::string::npos);
    write_values(folder, "both.npy", {5, 2, features}, static_cast<std::size_t>(10 * features));
    const std::vector<float> rows = folder.values("both.npy");
    REQUIRE(folder.rnnc(run + "--input both.npy --output both_y.npy").code == 0);
    const std::vector<float> both = folder.values("both_y.npy");
    for (std::size_t b = 0; b < 2; ++b) {
      std::vector<float> own, expected;
      for (std::size_t t = 0; t < 5; ++t) {
        const auto at = [&](const std::vector<float>& all) {
          return all.begin() + static_cast<std::ptrdiff_t>((2 * t + b) * (all.size() / 10));
        };
        own.insert(own.end(), at(rows), at(rows) + features);
        expected.insert(expected.end(), at(both), at(both) + std::ssize(both) / 10);
      }
      folder.write("x.npy", {5, 1, features}, own);
      CHECK(y_of(folder, run + "--input x.npy --output y.npy") == expected);
    }
    // One step of several streams that go on from states is no layout in question.
    write_values(folder, "x.npy", {1, 3, features}, static_cast<std::size_t>(3 * features));
    CHECK(folder.rnnc(run + "--input x.npy --output y.npy").code == 3);
    write_values(folder, "h.npy", {2, 3, 3}, 18);
    write_values(folder, "state2.npy", {3, 6}, 18);
    CHECK(folder.rnnc(run + "--input x.npy --output y.npy " + states).code == 0);
  }
}

TEST_CASE("a stream goes on from the states that a run before has written, by the names of the graph", "[tools]") {
  // The first two states are states by their names alone: what was given for them was once taken for a constant.
  struct Case {
    std::string name;
    std::int64_t features;
    std::vector<std::pair<std::string, std::string>> states;
  };
  for (const Case& one : {Case{"cached_convolution", 2, {{"cache", "cache_out"}}},
                          Case{"average_beside_a_state", 3, {{"average_state", "average_state_out"}, {"h", "y"}}},
                          Case{"packed_states", 4, {{"state", "stateN"}}}}) {
    INFO(one.name);
    const Folder folder;
    const std::string run = "run " + kGraphs + "fronts/" + one.name + ".onnx --output y.npy --input ";
    write_values(folder, "x.npy", {5, 1, one.features}, static_cast<std::size_t>(5 * one.features));
    const std::vector<float> x = folder.values("x.npy"), whole = y_of(folder, run + "x.npy");
    const auto cut = x.begin() + 2 * one.features;
    folder.write("first.npy", {2, 1, one.features}, {x.begin(), cut});
    folder.write("rest.npy", {3, 1, one.features}, {cut, x.end()});
    std::string ends, begins;
    for (const auto& [input, output] : one.states) {
      ends += " --final-state " + output + "=" + input + ".npy";
      begins += " --state " + input + "=" + input + ".npy";
    }
    std::vector<float> pieces = y_of(folder, run + "first.npy" + ends);
    const std::vector<float> rest = y_of(folder, run + "rest.npy" + begins);
    pieces.insert(pieces.end(), rest.begin(), rest.end());
    CHECK(pieces == whole);
  }
}

TEST_CASE("a value of --const stays, also where an output has a name as that of its next value", "[tools]") {
  using namespace onnx;
  const Folder folder;
  folder.write("step.onnx",
               model(node("Mul", {"x", "scale_state"}, {"y"}) +
                     node("Add", {"scale_state", "scale_state"}, {"scale_state_out"}) +
                     node("Add", {"cache", "x"}, {"cache_out"}) + input("x", {1, 3}) + input("scale_state", {1, 1}) +
                     input("cache", {1, 3}) + output("y") + output("scale_state_out") + output("cache_out")));
  folder.write("x.npy", {4, 1, 3}, std::vector<float>(12, 1));
  folder.write("scale.npy", {1, 1}, {3});
  const std::string run = "run step.onnx --input x.npy --output y.npy ";
  CHECK(y_of(folder, run + "--const scale_state=3") == std::vector<float>(12, 3));
  CHECK(y_of(folder, run + "--state scale_state=scale.npy") ==
        std::vector<float>{3, 3, 3, 6, 6, 6, 12, 12, 12, 24, 24, 24});
}

TEST_CASE("sizes in the wrong order are told from lengths that do not fit", "[tools]") {
  const Folder folder;
  write_values(folder, "x.npy", {3, 7, 4}, 84);
  check_fails(folder, "run " + kGraphs + "lstm_bidirectional.onnx --input x.npy --output y.npy", 3,
              "x is of 3 steps and 7 sequences, but the model's file is of 7 steps and 3 sequences; add --layout btf");
}

TEST_CASE("outputs have the graph's names, also those that are no names of rnnc", "[tools]") {
  const Folder folder, other;
  const std::string run = "run " + kGraphs + "exported/two_layers.onnx --input x.npy ";
  for (const Folder* each : {&folder, &other}) write_values(*each, "x.npy", {7, 2, 5}, 70);
  REQUIRE(folder.rnnc(run + "--output 198=named.npy").code == 0);
  REQUIRE(folder.rnnc(run + "--output y.npy").code == 0);
  CHECK(folder.values("named.npy") == folder.values("y.npy"));
  check_fails(other, run + "--output 199=final.npy", 2,
              "--output: 199 has final states; give --final-state 199=final.npy");
  check_fails(other, run + "--output 198=x.npy", 2, "--output 198: would overwrite x.npy, which --input reads");
  check_fails(
      other, run + "--output y.npy --final-state 198=f.npy", 2,
      "--final-state 198: there is no such state; the states are lstm.h, lstm.c, lstm2.h, lstm2.c; by the names of "
      "the graph they are 199, 200");
}

TEST_CASE("final states lie as the graph's outputs, and batch-first files give what steps-first files give",
          "[tools]") {
  const TensorMap data = load_safetensors(kGraphs + "data.safetensors").value();
  for (const std::string name : {"lstm_bidirectional", "gru_reverse", "rnn_forward"}) {
    INFO(name);
    const Folder folder;
    const Tensor &x = data.at(name + ".x"), &h = data.at(name + ".h");
    folder.write("x.npy", x.shape, x.to_f32());
    const std::int64_t T = x.shape[0], B = x.shape[1], I = x.shape[2];
    const std::vector<float> rows = x.to_f32();
    std::vector<float> swapped;
    for (std::int64_t b = 0; b < B; ++b)
      for (std::int64_t t = 0; t < T; ++t)
        swapped.insert(swapped.end(), rows.begin() + (t * B + b) * I, rows.begin() + (t * B + b + 1) * I);
    folder.write("xb.npy", {B, T, I}, swapped);
    const std::string run = "run " + kGraphs + name + ".onnx --final-state Y_h=h.npy ";
    REQUIRE(folder.rnnc(run + "--input x.npy --output y.npy").code == 0);
    CHECK(load_npy(folder / "h.npy").value().shape == h.shape);
    const std::vector<float> found = folder.values("h.npy"), expected = h.to_f32();
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(found[i] == Approx(expected[i]).margin(1e-6));
    REQUIRE(folder.rnnc(run + "--input xb.npy --output yb.npy --layout btf").code == 0);
    CHECK(folder.values("h.npy") == found);
    const std::vector<float> y = folder.values("y.npy"), yb = folder.values("yb.npy");
    const std::int64_t O = std::ssize(y) / (T * B);
    CHECK(load_npy(folder / "yb.npy").value().shape == Shape{B, T, O});
    for (std::int64_t k = 0; k < T * B * O; ++k) {
      const std::int64_t b = k / (T * O), t = k / O % T, o = k % O;
      CHECK(yb[static_cast<std::size_t>(k)] == y[static_cast<std::size_t>((t * B + b) * O + o)]);
    }
  }
}

}  // namespace rnnc::test
