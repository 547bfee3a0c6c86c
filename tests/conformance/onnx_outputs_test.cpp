// A graph with several outputs becomes a network with outputs of the graph's names.
#include <rnnc/compile.hpp>
#include <rnnc/import.hpp>

#include <cmath>

#include "tests/errors/onnx_lstm.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"

namespace rnnc::test {
namespace {

Imported imported(const std::string& file, const ImportOptions& options = {}) {
  return import_model(std::as_bytes(std::span(file)), "m.onnx", options).value();
}

// Its output is that of the LSTM, its softmax, its square, the LSTM's final state, and one of an operator that there is
// not.
std::string graph() {
  Random random(3);
  OnnxLstm lstm;
  lstm.outputs = {"Y", "Y_h"};
  lstm.after += onnx::node("Softmax", {"out"}, {"probs"}, onnx::integer("axis", -1)) +
                onnx::node("Mul", {"out", "out"}, {"energy.1"}) + onnx::node("Frobnicate", {"out"}, {"odd"});
  lstm.more += onnx::bytes(5, onnx::tensor("B2", {1, 16}, onnx::raw(random.vector(16, -1, 1)))) +
               onnx::bytes(5, onnx::tensor("W2", {1, 8, 3}, onnx::raw(random.vector(24, -1, 1))));
  lstm.inputs = {"X", "W2", "R", "B2"};
  lstm.result += onnx::output("probs") + onnx::output("energy.1") + onnx::output("Y_h") + onnx::output("odd");
  return lstm.file();
}

std::string names_of(const Program& program) {
  std::string names;
  for (const NamedPort& output : program.outputs())
    names += output.port.name + rnnc::to_string(output.port.shape) + output.time + " ";
  return names;
}

}  // namespace

TEST_CASE("the outputs of a graph that are no states keep their names, and what cannot be computed is left out",
          "[onnx][outputs]") {
  const Imported model = imported(graph());
  CHECK(model.left_out == std::vector<std::string>{"odd"});
  const Program program = compile(model.model, model.weights, {}).value();
  REQUIRE(names_of(program) == "out[2]T probs[2]T energy_1[2]T ");
  Random random(4);
  const std::vector<float> x = random.vector(5 * 2 * 3, -1, 1);
  std::vector<float> y(5 * 2 * 2), probs(y.size()), energy(y.size());
  State state = program.make_state(2, 5);
  const NamedOutput outputs[] = {{"probs", probs}, {"energy_1", energy}};
  REQUIRE(program.run(state, {.x = x, .y = y, .steps = 5, .outputs = outputs}) == RunStatus::Ok);
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double mine = y[i], other = y[i ^ 1];
    CHECK(mine != 0);
    CHECK(std::fabs(energy[i] - mine * mine) <= 1e-6);
    CHECK(std::fabs(probs[i] - 1 / (1 + std::exp(other - mine))) <= 1e-6);
  }
}

TEST_CASE("the output that is asked for becomes y, and the others stay", "[onnx][outputs]") {
  const Imported model = imported(graph(), {.output = "energy.1"});
  CHECK(names_of(compile(model.model, model.weights, {}).value()) == "energy_1[2]T out[2]T probs[2]T ");
}

TEST_CASE("a graph with one output has it as y", "[onnx][outputs]") {
  CHECK(imported(OnnxLstm().file()).model.text().find("output n_Y\n") != std::string::npos);
}

// In this graph of one step, h is a state, and vad and frame_out are outputs.
TEST_CASE("a graph of one step with several outputs becomes a network of its cell", "[onnx][outputs]") {
  const std::string path = RNNC_SOURCE_DIR "/tests/conformance/onnx/fronts/frames_by_name.onnx";
  Random random(5);
  std::vector<std::vector<float>> values[2];
  const std::vector<float> x = random.vector(6 * 2 * 3, -1, 1);
  for (const bool turned : {false, true}) {
    const Imported model = import_model_file(path, {.output = turned ? "frame_out" : ""}).value();
    CHECK(model.left_out.empty());
    const Program program = compile(model.model, model.weights, {}).value();
    REQUIRE(program.outputs().size() == 2);
    CHECK(program.outputs()[turned ? 1 : 0].port.name == "vad");
    CHECK(program.outputs()[turned ? 0 : 1].port.name == "frame_out");
    CHECK(program.streams().ok());
    State state = program.make_state(2, 3);
    for (const NamedPort& output : program.outputs())
      values[turned].emplace_back(static_cast<std::size_t>(6 * 2 * output.port.shape.at(0)));
    const NamedOutput outputs[] = {{turned ? "vad" : "frame_out", values[turned][1]}};
    REQUIRE(program.run(state, {.x = x, .y = values[turned][0], .steps = 6, .outputs = outputs}) == RunStatus::Ok);
    CHECK(program.states().at(0).name == "step.h");
  }
  CHECK(values[0][0] == values[1][1]);
  CHECK(values[0][1] == values[1][0]);
}

TEST_CASE("ArgMax gives the number of the first of the largest", "[onnx][outputs]") {
  OnnxLstm lstm;
  lstm.outputs = {"Y", "Y_h"};
  Random random(3);
  lstm.more += onnx::bytes(5, onnx::tensor("B2", {1, 16}, onnx::raw(random.vector(16, -1, 1)))) +
               onnx::bytes(5, onnx::tensor("W2", {1, 8, 3}, onnx::raw(random.vector(24, -1, 1))));
  lstm.inputs = {"X", "W2", "R", "B2"};
  const std::string last = onnx::integer("axis", -1);
  lstm.after += onnx::node("ArgMax", {"out"}, {"label"}, last) + onnx::node("Sub", {"out", "out"}, {"zeros"}) +
                onnx::node("ArgMax", {"zeros"}, {"none"}, last);
  lstm.result += onnx::output("label") + onnx::output("none");
  const Imported model = imported(lstm.file());
  const Program program = compile(model.model, model.weights, {}).value();
  const std::vector<float> x = random.vector(16 * 2 * 3, -2, 2);
  std::vector<float> y(16 * 2 * 2), label(16 * 2), none(label.size(), 1);
  State state = program.make_state(2, 16);
  const NamedOutput outputs[] = {{"label", label}, {"none", none}};
  REQUIRE(program.run(state, {.x = x, .y = y, .steps = 16, .outputs = outputs}) == RunStatus::Ok);
  int second = 0;
  for (std::size_t row = 0; row < label.size(); ++row) {
    const bool is_second = y[2 * row + 1] > y[2 * row];
    CHECK(label[row] == (is_second ? 1 : 0));
    CHECK(none[row] == 0);
    second += is_second;
  }
  CHECK(second > 0);
  CHECK(second < 32);
}

}  // namespace rnnc::test
