// ImportOptions::like: the numbers that ONNX Runtime 1.30.0 (npm's onnxruntime-node) gave, beside those of ONNX's text.
// Every recurrent node has one unit and reads X = 2, -3, 0.5, one sequence; its recurrent weights are 0.
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <rnnc/import.hpp>

#include "tests/errors/onnx_lstm.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/run_imported.hpp"

namespace rnnc::test {
namespace {

using namespace onnx;

constexpr OnnxLike kRuntime = OnnxLike::OnnxRuntime;

struct Case {
  std::string op, attributes;
  std::vector<float> W;               // a row for each gate
  std::vector<double> runtime, text;  // y; no `text` where it is refused
};

Result<Imported> imported(const std::string& file, OnnxLike like) {
  return import_model(std::as_bytes(std::span(file)), "m.onnx", {.like = like});
}

Result<Imported> imported(const Case& one, OnnxLike like) {
  const auto gates = static_cast<std::int64_t>(one.W.size());
  return imported(model(node(one.op, {"X", "W", "R"}, {"Y"}, integer("hidden_size", 1) + one.attributes) +
                        bytes(5, tensor("W", {1, gates, 1}, raw(one.W))) + initializer("R", {1, gates, 1}) +
                        input("X", {-1, -1, 1}) + output("Y")),
                  like);
}

const Case kCases[] = {
    {"RNN", texts("activations", {"Affine"}), {1}, {0, 0, 0}, {2, -3, 0.5}},
    {"RNN",
     texts("activations", {"Affine"}) + reals("activation_beta", {0.3f}),
     {1},
     {0.3, 0.3, 0.3},
     {2.3, -2.7, 0.8}},
    {"RNN", texts("activations", {"ThresholdedRelu"}), {1}, {2, 0, 0.5}, {2, 0, 0}},
    {"RNN", texts("activations", {"ScaledTanh"}), {1}, {0, 0, 0}, {}},
    {"RNN", texts("activations", {"LeakyRelu"}), {1}, {2, -0.03, 0.5}, {2, -0.03, 0.5}},
    {"RNN", texts("activations", {"Elu"}), {1}, {2, -0.950213, 0.5}, {2, -0.950213, 0.5}},
    {"RNN", texts("activations", {"HardSigmoid"}), {1}, {0.9, 0, 0.6}, {0.9, 0, 0.6}},
    {"RNN", real("clip", 1), {1}, {0.761594, -0.761594, 0.462117}, {0.761594, -0.761594, 0.462117}},
    // Numbers for each activation, also for those that take none: ONNX Runtime gives the first that takes one the
    // first.
    {"GRU",
     texts("activations", {"Sigmoid", "LeakyRelu"}) + reals("activation_alpha", {0.9f, 0.1f}),
     {0, 0, 1},
     {1, -0.85, -0.175},
     {1, 0.35, 0.425}},
    {"RNN", texts("activations", {"LeakyRelu"}) + reals("activation_alpha", {0.7f, 0.3f}), {1}, {2, -2.1, 0.5}, {}},
    // The candidate is up to 1.5, so that the cell state, which the text clips before its tanh, is above 0.5.
    {"LSTM",
     real("clip", 0.5f) + texts("activations", {"Sigmoid", "Affine", "Tanh"}) + reals("activation_alpha", {3}) +
         reals("activation_beta", {0}),
     {1, 1, 1, 1},
     {0.4558326, -0.0795124, 0.4135459},
     {0.2876491, -0.0795123, 0.2876491}},
};

}  // namespace

TEST_CASE("an ONNX model is read like ONNX Runtime runs it where that is asked for", "[conformance][import]") {
  for (const Case& one : kCases) {
    INFO(one.op << " " << one.runtime[1]);
    for (const OnnxLike like : {OnnxLike::Specification, kRuntime}) {
      const std::vector<double>& expected = like == kRuntime ? one.runtime : one.text;
      const Result<Imported> model = imported(one, like);
      CHECK(model.ok() == !expected.empty());
      if (!model.ok() || expected.empty()) continue;
      CHECK(largest_difference(interpret_imported(*model, {2, -3, 0.5}, 3, 1), expected) <= 1e-6);
    }
  }
}

TEST_CASE("a model that ONNX Runtime runs by ONNX's text is the same text like it", "[conformance][import]") {
  std::size_t same = 0, cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(RNNC_SOURCE_DIR "/tests/conformance/onnx")) {
    const std::string path = entry.path().string(), name = entry.path().stem().string();
    if (!path.ends_with(".onnx") || name == "nested_in_if") continue;
    INFO(name);
    const Result<Imported> like = import_model_file(path, {.like = kRuntime});
    ++cases;
    CHECK(like.ok() == !name.ends_with("batch_first"));
    if (!like.ok()) continue;
    const bool equal = import_model_file(path).value().model.text() == like->model.text();
    CHECK(equal == (name != "lstm_clip"));
    same += equal ? 1 : 0;
  }
  CHECK(cases == 46);
  CHECK(same == 42);
}

TEST_CASE("what ONNX Runtime does and a network cannot is refused by name", "[errors][import]") {
  const auto error = [](const OnnxLstm& graph, OnnxLike like = kRuntime) {
    const Result<Imported> result = imported(graph.file(), like);
    return result.ok() ? "" : result.error().to_string();
  };
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  OnnxLstm batch_first;
  batch_first.attributes += integer("layout", 1);
  batch_first.after = node("Squeeze", {"Y", "two"}, {"out"});
  batch_first.more = initializer("two", {1}, {2});
  CHECK(error(batch_first, OnnxLike::Specification).empty());
  INFO(error(batch_first));
  CHECK(has(error(batch_first), "has layout 1, which ONNX Runtime does not run; put a Transpose"));

  OnnxLstm lengths;
  lengths.inputs = {"X", "W", "R", "B", "n", "h"};
  lengths.outputs = {"Y", "last"};
  lengths.result += output("last");
  const std::string state = bytes(5, tensor("h", {1, 1, 2}, raw({1, 0}))), one = lengths.more;
  const auto with = [&](const std::string& more) { return lengths.more = one + more, error(lengths); };
  const std::string refused =
      "may end in \"last\" after no step: ONNX Runtime then gives zeros, and a network the initial state; give lengths "
      "of at least 1 (--const n=N,... or --state n=lengths.npy), or leave --like out";
  CHECK(has(with(state + initializer("n", {2}, {0, 1})), refused));
  CHECK(with(state + initializer("n", {2}, {2, 1})).empty());
  CHECK(with(initializer("h", {1, 1, 2}) + initializer("n", {2}, {0, 1})).empty());
  CHECK(has(with(state + input("n", {-1})), refused));
  CHECK(error(lengths, OnnxLike::Specification).empty());
  lengths.result = output("out");  // no one reads the state
  CHECK(with(state + initializer("n", {2}, {0, 1})).empty());

  const std::string quantized = RNNC_SOURCE_DIR "/tests/conformance/onnx/fronts/quantized_rows.onnx";
  REQUIRE(import_model_file(quantized).ok());
  CHECK(has(import_model_file(quantized, {.like = kRuntime}).error().to_string(),
            "computes with activations of 8 bits in ONNX Runtime, which a network cannot; leave --like out"));
}

}  // namespace rnnc::test
