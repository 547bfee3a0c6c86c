// Attributes whose value changes what a node computes: a good LSTM of 3 inputs and 2 units, and behind it a node as old
// exporters, or exporters of training, write it.
#include "tests/errors/onnx_faults.hpp"

namespace rnnc::test {
namespace {

using namespace onnx;

std::string ones(const std::string& name, std::int64_t size) {
  return bytes(5, tensor(name, {size}, raw(std::vector<float>(static_cast<std::size_t>(size), 1))));
}

// s [T,B,2] as [B,2,T], through a node, and back.
void over_channels(OnnxLstm& g, std::int64_t opset, const std::string& attributes, const Names& outputs = {"w"}) {
  g.opset = opset;
  g.after = node("Squeeze", {"Y"}, {"s"}, integers("axes", {1})) +
            node("Transpose", {"s"}, {"t"}, integers("perm", {1, 2, 0})) +
            node("BatchNormalization", {"t", "scale", "shift", "mean", "var"}, outputs, attributes) +
            node("Transpose", {"w"}, {"out"}, integers("perm", {2, 0, 1}));
  for (const char* name : {"scale", "shift", "mean", "var"}) g.more += ones(name, 2);
}

void dropout(OnnxLstm& g, std::int64_t opset, const std::string& attributes) {
  g.opset = opset;
  g.after = node("Squeeze", {"Y"}, {"s"}, integers("axes", {1})) + node("Dropout", {"s"}, {"out"}, attributes);
}

const OnnxFault kFaults[] = {
    {"is_test is 0, with which it trains; export the model for inference",
     [](OnnxLstm& g) { over_channels(g, 6, integer("is_test", 0)); }},
    {"is_test is 0, with which it trains", [](OnnxLstm& g) { over_channels(g, 6, ""); }},
    {"is_test is 0, with which it trains", [](OnnxLstm& g) { over_channels(g, 9, integer("is_test", 0)); }},
    {"spatial is 0: it normalises each feature by numbers of its own",
     [](OnnxLstm& g) { over_channels(g, 6, integer("is_test", 1) + integer("spatial", 0)); }},
    {"spatial is 0", [](OnnxLstm& g) { over_channels(g, 7, integer("spatial", 0)); }},
    {"training_mode is set", [](OnnxLstm& g) { over_channels(g, 12, integer("training_mode", 1)); }},
    {"has outputs of training, with which it takes the statistics of the batch",
     [](OnnxLstm& g) {
       over_channels(g, 9, "", {"w", "m", "v", "", ""});
     }},
    {"is_test is 0, with which it trains", [](OnnxLstm& g) { dropout(g, 6, integer("is_test", 0)); }},
    {"is_test is 0, with which it trains", [](OnnxLstm& g) { dropout(g, 6, ""); }},
    {"has several slopes, which before opset 7 are of dimension 1",
     [](OnnxLstm& g) {
       g.opset = 6;
       g.after = node("Squeeze", {"Y"}, {"s"}, integers("axes", {1})) + node("PRelu", {"s", "slope"}, {"out"});
       g.more += ones("slope", 2);
     }},
    {"noop_with_empty_axes leaves open whether it squares",
     [](OnnxLstm& g) { g.after = behind("ReduceSumSquare", {"s"}, integer("noop_with_empty_axes", 1)); }},
    {"has both pads and auto_pad VALID, which may not stand together",
     [](OnnxLstm& g) {
       g.after = node("Squeeze", {"Y", "one"}, {"s"}) + node("Transpose", {"s"}, {"t"}, integers("perm", {1, 2, 0})) +
                 node("Conv", {"t", "K"}, {"c"}, text("auto_pad", "VALID") + integers("pads", {1, 1})) +
                 node("Transpose", {"c"}, {"out"}, integers("perm", {2, 0, 1}));
       g.more += initializer("K", {2, 2, 3});
     }},
};

}  // namespace

TEST_CASE("an ONNX attribute that changes the numbers is refused where it is not followed", "[errors][import]") {
  check_faults(kFaults);
}

TEST_CASE("the same ONNX nodes are read where their attributes say inference", "[errors][import]") {
  const auto reads = [](const std::function<void(OnnxLstm&)>& make) {
    OnnxLstm graph;
    make(graph);
    const auto result = import_model(bytes_of(graph.file()), "m.onnx");
    if (!result) UNSCOPED_INFO(result.error().to_string());
    return result.ok();
  };
  CHECK(reads([](OnnxLstm& g) { over_channels(g, 6, integer("is_test", 1) + integer("spatial", 1)); }));
  CHECK(reads([](OnnxLstm& g) { over_channels(g, 7, ""); }));
  CHECK(reads([](OnnxLstm& g) { over_channels(g, 9, "", {"w", "", "", "", ""}); }));
  CHECK(reads([](OnnxLstm& g) { dropout(g, 6, integer("is_test", 1)); }));
  CHECK(reads([](OnnxLstm& g) { dropout(g, 7, ""); }));
}

TEST_CASE("Selu has the default numbers of its opset", "[import]") {
  for (const auto& [opset, gamma] : {std::pair{5, "1.0507 * elu("}, {6, "1.050701 * elu("}}) {
    OnnxLstm graph;
    graph.opset = opset;
    graph.after = node("Squeeze", {"Y"}, {"s"}, integers("axes", {1})) + node("Selu", {"s"}, {"out"});
    const auto result = import_model(bytes_of(graph.file()), "m.onnx");
    REQUIRE(result.ok());
    INFO(result->model.text());
    CHECK(result->model.text().find(gamma) != std::string::npos);
  }
}

}  // namespace rnnc::test
