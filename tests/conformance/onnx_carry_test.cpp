// A graph of sequences that takes its initial states and gives the final ones runs step by step once the caller says
// which output carries which input on.
#include <rnnc/compile.hpp>
#include <rnnc/import.hpp>

#include "tests/errors/onnx_lstm.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"
#include "tests/tools/program.hpp"

namespace rnnc::test {
namespace {

// Its whole states of one layer are inputs and outputs, as torch.onnx.export writes them for streaming.
OnnxLstm streaming_lstm() {
  Random random(3);
  OnnxLstm lstm;
  lstm.inputs = {"X", "W2", "R2", "B2", "", "h", "c"};
  lstm.outputs = {"Y", "hn", "cn"};
  lstm.more += onnx::bytes(5, onnx::tensor("W2", {1, 8, 3}, onnx::raw(random.vector(24, -1, 1)))) +
               onnx::bytes(5, onnx::tensor("R2", {1, 8, 2}, onnx::raw(random.vector(16, -1, 1)))) +
               onnx::bytes(5, onnx::tensor("B2", {1, 16}, onnx::raw(random.vector(16, -1, 1)))) +
               onnx::input("h", {1, -1, 2}) + onnx::input("c", {1, -1, 2});
  lstm.result += onnx::output("hn") + onnx::output("cn");
  return lstm;
}

Result<Imported> imported(const std::map<std::string, std::string>& carried, const OnnxLstm& lstm = streaming_lstm()) {
  const std::string file = lstm.file();
  return import_model(std::as_bytes(std::span(file)), "m.onnx", {.carried = carried});
}

}  // namespace

TEST_CASE("states of sequences that the caller carries on give, step by step, the numbers of the whole sequence",
          "[onnx][carry]") {
  const Imported begun = imported({}).value(), carried = imported({{"h", "hn"}, {"c", "cn"}}).value();
  const Program whole = compile(begun.model, begun.weights, {}).value();
  const Program stepped = compile(carried.model, carried.weights, {}).value();
  CHECK(!whole.streams().ok());
  REQUIRE(stepped.streams().ok());

  constexpr std::int64_t kSteps = 7, kBatch = 2;
  Random random(5);
  const std::vector<float> x = random.vector(kSteps * kBatch * 3, -1, 1), zeros(kBatch * 2);
  std::vector<float> y(kSteps * kBatch * 2), steps(y.size());
  State state = whole.make_state(kBatch, kSteps), kept = stepped.make_state(kBatch);
  const NamedInput inputs[] = {{"h", zeros}, {"c", zeros}};
  REQUIRE(whole.run(state, {.x = x, .y = y, .steps = kSteps, .inputs = inputs}) == RunStatus::Ok);
  for (std::size_t t = 0; t < kSteps; ++t)
    REQUIRE(stepped.step(kept, std::span(x).subspan(t * kBatch * 3, kBatch * 3),
                         std::span(steps).subspan(t * kBatch * 2, kBatch * 2)) == RunStatus::Ok);
  CHECK(y == steps);
  CHECK(y != std::vector<float>(y.size()));
}

TEST_CASE("an input and an output that are not the states of the same scan are no pair to carry on", "[onnx][carry]") {
  for (const auto& [input, output] : {std::pair("h", "cn"), {"h", "out"}, {"X", "out"}, {"X", "hn"}}) {
    INFO(input << "=" << output);
    const Result<Imported> refused = imported({{input, output}});
    REQUIRE(!refused.ok());
    CHECK(refused.error().message.find("cannot be carried on by \"" + std::string(output) + "\"") != std::string::npos);
  }
}

TEST_CASE("an initial state that other nodes read too is no pair to carry on", "[onnx][carry]") {
  OnnxLstm lstm = streaming_lstm();
  lstm.after = onnx::node("Squeeze", {"Y", "one"}, {"steps"}) + onnx::node("Squeeze", {"h", "zero"}, {"begin"}) +
               onnx::node("Add", {"steps", "begin"}, {"out"});
  lstm.more += onnx::initializer("zero", {1}, {0});
  const Result<Imported> refused = imported({{"h", "hn"}, {"c", "cn"}}, lstm);
  REQUIRE(!refused.ok());
  CHECK(refused.error().message.find("which nothing else reads") != std::string::npos);
}

TEST_CASE("run takes an initial state in the shape that it has in the graph", "[onnx][carry]") {
  Random random(7);
  OnnxLstm lstm;
  lstm.inputs = {"X", "W2", "R2", "", "", "h", "c"};
  lstm.attributes += onnx::text("direction", "bidirectional");
  lstm.after = onnx::node("ReduceSum", {"Y", "one"}, {"out"}, onnx::integer("keepdims", 0));
  lstm.more += onnx::bytes(5, onnx::tensor("W2", {2, 8, 3}, onnx::raw(random.vector(48, -1, 1)))) +
               onnx::bytes(5, onnx::tensor("R2", {2, 8, 2}, onnx::raw(random.vector(32, -1, 1)))) +
               onnx::input("h", {2, -1, 2}) + onnx::input("c", {2, -1, 2});
  const Folder folder;
  folder.write("m.onnx", lstm.file());
  folder.write("x.npy", {4, 3, 3}, random.vector(36, -1, 1));
  folder.write("c.npy", {3, 4}, random.vector(12, -1, 1));
  // A row of the text is a sequence with both directions side by side; the graph has a direction behind the other.
  const std::vector<float> rows = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
                           graph = {1, 2, 5, 6, 9, 10, 3, 4, 7, 8, 11, 12};
  folder.write("rows.npy", {3, 4}, rows);
  folder.write("graph.npy", {2, 3, 2}, graph);
  folder.write("few.npy", {2, 2, 2}, std::vector<float>(graph.begin(), graph.begin() + 8));
  const std::string run = "run m.onnx --input x.npy --input c=c.npy --output y.npy --input h=";
  check_fails(folder, run + "few.npy", 3, "few.npy: shape mismatch: h must be f32[B,4] but is [2,2,2]");
  const std::vector<float> y = y_of(folder, run + "rows.npy");
  CHECK(y == y_of(folder, run + "graph.npy"));
  CHECK(y != y_of(folder, run + "c.npy"));
}

TEST_CASE("describe names the flags by which such a graph runs step by step", "[onnx][carry]") {
  const Folder folder;
  folder.write("m.onnx", streaming_lstm().file());
  CHECK(folder.rnnc("describe m.onnx").out.find("it does with --carry h=hn --carry c=cn, by which") !=
        std::string::npos);
  CHECK(folder.rnnc("describe m.onnx --carry h=hn --carry c=cn").out.find("streams     yes") != std::string::npos);
}

}  // namespace rnnc::test
