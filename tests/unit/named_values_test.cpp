// The vectors that matrices multiply have names that follow from the text; a network measures them, and a file of
// ranges says of them what was measured.
#include "compiler/network/named_values.hpp"

#include <cmath>

#include "compiler/network/network.hpp"
#include "compiler/passes/pass.hpp"
#include "compiler/passes/ranges.hpp"
#include "ir/parse.hpp"
#include "ir/print.hpp"
#include "ir/scan.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"
#include "tests/support/subject.hpp"

namespace rnnc::test {
namespace {

using Vectors = std::map<std::string, std::optional<double>>;

Vectors vectors_of_cell(const std::string& body) {
  const ir::Cell cell =
      ir::parse("cell c { input x : f32[4] state h : f32[4] param W, U : f32[4, 4] param b : f32[4] " + body +
                " output h' }")
          .value()
          .cells.at(0);
  return compiler::multiplied_vectors(ir::network_of(cell));
}

ir::Network network_of(const std::string& text) { return ir::parse(text).value().networks.at(0); }

constexpr std::nullopt_t kUnknown = std::nullopt;

constexpr const char* kNetwork =
    "cell c { input x : f32[4] state h : f32[3] param W : f32[3, 4] param U : f32[3, 3] "
    "h' = relu(W @ x + U @ h) output h' }\n"
    "network n { input x : seq f32[4] input v : f32[2] param P : f32[4, 4] param Q : f32[2, 6] param R : f32[3, 2] "
    "y = P @ x a = c(y) b = bidirectional c(relu(y)) output Q @ b output z = R @ v }\n";

}  // namespace

TEST_CASE("a vector has the name or the expression that the text has of it", "[calibrate]") {
  CHECK(vectors_of_cell("h' = relu(W @ x + U @ h)") == Vectors{{"x", kUnknown}, {"h", kUnknown}});
  CHECK(vectors_of_cell("h' = tanh(W @ x + U @ h)") == Vectors{{"x", kUnknown}, {"h", 1}});
  CHECK(vectors_of_cell("h' = tanh(W @ concat(x[0:2], h[2:4]))") == Vectors{{"h[2:4]", 1}, {"x[0:2]", kUnknown}});
  CHECK(vectors_of_cell("h' = W @ relu(U @ (h - b))") == Vectors{{"h - b", kUnknown}, {"relu(U @ (h - b))", kUnknown}});
  CHECK(vectors_of_cell("m = relu(x) h' = clip(W @ m, -9, 9) + U @ clip(h, -0.5, 0.5)") ==
        Vectors{{"clip(h, -0.5, 0.5)", 0.5}, {"m", kUnknown}});
  CHECK(vectors_of_cell("h' = U @ softmax(h) + W @ b") == Vectors{{"softmax(h)", 1}});
}

TEST_CASE("the vectors of a network have its names, and those of a scan the scan's name before them", "[calibrate]") {
  CHECK(compiler::multiplied_vectors(network_of(kNetwork)) == Vectors{{"a.h", kUnknown},
                                                                      {"a.x", kUnknown},
                                                                      {"b", kUnknown},
                                                                      {"b.h", kUnknown},
                                                                      {"b.x", kUnknown},
                                                                      {"v", kUnknown},
                                                                      {"x", kUnknown}});
}

TEST_CASE("rows have names too, and an input that stays the same in all steps", "[calibrate]") {
  const ir::Network network = network_of(
      "cell c { input x : f32[6] input k : f32[3] state h : f32[4] param W : f32[2, 2] param U : f32[4, 6] "
      "param K : f32[4, 3] h' = relu(U @ flatten(relu(W @ rows(x, 3))) + K @ k + h) output h' }\n"
      "network n { input x : seq f32[6] input k : f32[3] a = c(x, k) output a }\n");
  const Vectors vectors = compiler::multiplied_vectors(network);
  CHECK(vectors.contains("a.k"));
  CHECK(vectors.contains("a.x[0:2]"));
  CHECK(vectors.contains("a.x[4:6]"));
  CHECK(vectors.size() == 7);  // and the three rows of relu that are multiplied one by one
}

TEST_CASE("what is measured is the largest magnitude over all steps and sequences", "[calibrate]") {
  const Subject subject{network_of(kNetwork), {}};
  Subject with_weights = subject;
  Random random(5);
  for (const ir::Weight& weight : ir::weights_of(subject.graph))
    with_weights.weights[weight.name] = random.vector(static_cast<std::size_t>(elements(weight.type)), -0.5f, 0.5f);
  const ir::Network network(subject.graph);
  const compiler::MeasuringNetwork measuring = compiler::measuring(network, {"x", "v", "b", "a.h", "b.h", "a.x", "y"});
  const Subject measured{measuring.network, with_weights.weights};
  const Setting setting{.steps = 9, .batch = 3};
  const Data data = random_data(subject.graph, setting);
  const NetworkOutcome outcome = run(compile(measured, setting), measured.graph, data);
  std::map<std::string, float> largest;
  const auto add = [&](const std::string& vector, const std::vector<float>& values) {
    for (const float each : values) largest[vector] = std::max(largest[vector], each);
  };
  for (const auto& [output, vector] : measuring.outputs) add(vector, outcome.outputs.at(output));
  for (const auto& [state, vector] : measuring.states) add(vector, outcome.states.at(state));
  const auto largest_of = [](const auto& values) {
    float result = 0;
    for (const auto each : values) result = std::max(result, std::abs(static_cast<float>(each)));
    return result;
  };
  CHECK(largest.size() == 7);
  CHECK(largest.at("x") == largest_of(data.batch.inputs.at("x")));
  CHECK(largest.at("v") == largest_of(data.batch.inputs.at("v")));
  CHECK(largest.at("a.x") == largest.at("y"));
  // The vectors of the first step are the initial state, and the last state of all is not multiplied.
  float of_a = 0;
  for (std::int64_t steps = 0; steps <= 8; ++steps) {
    Data part = data;
    part.batch.times.at("T").steps = steps;
    part.batch.inputs.at("x").resize(static_cast<std::size_t>(steps * 3 * 4));
    of_a = std::max(of_a, largest_of(run(compile(with_weights, setting), subject.graph, part).states.at("a.h")));
  }
  CHECK(largest.at("a.h") == of_a);
  // The outputs of the network are what they were.
  CHECK(outcome.y == run(compile(with_weights, setting), subject.graph, data).y);
}

TEST_CASE("a measured range stays with its vector through all passes", "[calibrate]") {
  ir::Cell cell = ir::parse(
                      "cell c { input x : f32[4] state h : f32[4] param W, U : f32[4, 4] "
                      "h' = relu(W @ x[0:4] + U @ h) output U @ relu(h' - 1) }")
                      .value()
                      .cells.at(0);
  const Subject subject{cell, random_weights(cell, 1)};
  const Ranges ranges = ranges_of(subject, 3);
  CHECK(ranges.bounds == std::map<std::string, float>{{"h", 3}, {"relu(h' - 1)", 3}, {"x", 3}});
  const ir::Network network = compiler::with_ranges(ir::network_of(cell), tensors_of(subject), ranges).value();
  const compiler::NetworkCalls calls = compiler::calls_of(network);
  const auto& call = std::get<compiler::CellCall>(calls.list.calls.at(0));
  const ir::Cell passed = compiler::run_passes(call.cell, {}, {}, compiler::kPasses, runtime::NumberFormat::W8);
  int constant = 0, all = 0;
  for (const ir::Node& node : passed.nodes) {
    if (node.op != ir::Op::Quantize) continue;
    ++all;
    const ir::Node& scale = passed[node.operands[1]];
    constant += scale.op == ir::Op::Constant && scale.constant == 127.0f / 3;
    CHECK(compiler::measured_range(passed, node.operands[0]) != nullptr);
  }
  CHECK(all == 3);
  CHECK(constant == 3);
  CHECK(compiler::bounds_of_states(passed).at("h") == compiler::Interval{-3, 3});
  // A Within is a comment of the text, so that what depends on the text tells ranges apart.
  CHECK(ir::print(call.cell).find("  // relu(h' - 1) is within 3\n") != std::string::npos);
  CHECK(ir::parse(ir::print(call.cell)));
}

TEST_CASE("ranges of another model, of other weights or of a vector that is not there are refused", "[calibrate]") {
  const ir::Cell cell = standard("rnn", 3, 4);
  Subject subject{cell, random_weights(cell, 1)};
  const Ranges ranges = ranges_of(subject, 3);
  const auto refusal = [&](const Subject& of, const Ranges& given) {
    const auto program = rnnc::compile(model_of(of), tensors_of(of), {.weights = WeightFormat::W8, .ranges = given});
    return program ? "" : program.error().to_string();
  };
  CHECK(refusal(subject, ranges).empty());
  Ranges unknown = ranges;
  unknown.bounds["hh"] = 2;
  CHECK(refusal(subject, unknown) == "rnn has no vector hh, of which there is a range; calibrate again");
  Subject trained = subject;
  trained.weights.at("b")[3] += 1;
  CHECK(refusal(trained, ranges).find("the ranges were measured of another model or of other weights (rnn ") == 0);
  const ir::Cell wider = standard("rnn", 4, 4);
  CHECK(!refusal({wider, random_weights(wider, 1)}, ranges).empty());
}

TEST_CASE("a file of ranges is read back as it was, and a damaged one is refused in words", "[calibrate]") {
  const Ranges ranges{"c 0123", 1.25, {{"x", 3.3f}, {"a.relu(W @ x)", 1e-20f}}};
  const std::string text = to_text(ranges);
  CHECK(parse_ranges(text).value() == ranges);
  const auto refusal = [&](const std::string& from, const std::string& to) {
    std::string damaged = text;
    const std::size_t at = damaged.find(from);
    REQUIRE(at != std::string::npos);
    damaged.replace(at, from.size(), to);
    const Result<Ranges> read = parse_ranges(damaged, "r.json");
    REQUIRE(!read);
    CHECK(read.error().code == ErrorCode::InvalidData);
    return read.error().to_string();
  };
  const std::string end = "; write it again with rnnc calibrate";
  CHECK(refusal("ranges 1", "ranges 9") == "r.json: no file of ranges: \"format\" is not \"rnnc ranges 1\"" + end);
  CHECK(refusal("\"model\"", "\"modal\"") == "r.json: no file of ranges: \"model\" is missing" + end);
  CHECK(refusal("\"c 0123\"", "3") == "r.json: no file of ranges: \"model\" is no text" + end);
  CHECK(refusal("1.25", "0.5").find("\"margin\" is 0.5, but has to be a number from 1.0 to 1000000.0") !=
        std::string::npos);
  CHECK(refusal("\"x\": 3", "\"x\": -3").find("the bound of \"x\" is -3") != std::string::npos);
  CHECK(refusal("\"x\": 3", "\"x\": 1e99, \"z\": 3").find("the bound of \"x\" is 1e+99") != std::string::npos);
  CHECK(refusal("\"x\": 3", "\"x\": null, \"z\": 3").find("the bound of \"x\" is null") != std::string::npos);
  CHECK(refusal("{", "") == "r.json: no file of ranges: it is no JSON; write it with rnnc calibrate");
}

}  // namespace rnnc::test
