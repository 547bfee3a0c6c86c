// Malformed and unsupported ONNX files: a good LSTM of 3 inputs and 2 units with one thing changed, each with an error
// of its own.
#include <string>

#include <rnnc/import.hpp>

#include "tests/errors/file_bytes.hpp"
#include "tests/errors/onnx_faults.hpp"

namespace rnnc::test {
namespace {

using namespace onnx;

const OnnxFault kFaults[] = {
    // Attributes.
    {"node \"n_Y\" (LSTM): attribute \"peephole\" is not known",
     [](OnnxLstm& g) { g.attributes += integer("peephole", 1); }},
    {"attribute \"hidden_size\" stands there twice", [](OnnxLstm& g) { g.attributes += integer("hidden_size", 2); }},
    {"with hidden_size 3, R must be", [](OnnxLstm& g) { g.attributes = integer("hidden_size", 3); }},
    {"hidden_size must be at least 1, not -2", [](OnnxLstm& g) { g.attributes = integer("hidden_size", -2); }},
    {"hidden_size", [](OnnxLstm& g) { g.attributes = text("hidden_size", "2"); }},
    {"direction \"sideways\" is not forward, reverse or bidirectional",
     [](OnnxLstm& g) { g.attributes += text("direction", "sideways"); }},
    {"R must be [2,8,2]", [](OnnxLstm& g) { g.attributes += text("direction", "bidirectional"); }},
    {"layout must be 0 or 1, not 2", [](OnnxLstm& g) { g.attributes += integer("layout", 2); }},
    {"clip must be above 0", [](OnnxLstm& g) { g.attributes += real("clip", -1); }},
    // Nodes as they are written for TensorFlow Lite's.
    {"cell_clip must be above 0", [](OnnxLstm& g) { g.attributes += bytes(7, "rnnc") + real("cell_clip", -1); }},
    {"output_clip must be above 0", [](OnnxLstm& g) { g.attributes += bytes(7, "rnnc") + real("output_clip", 0); }},
    {"shape mismatch: the projection must be [1,outputs,2] but is [2]",
     [](OnnxLstm& g) {
       g.attributes += bytes(7, "rnnc");
       g.inputs = {"X", "W", "R", "B", "", "", "", "", "Q"};
       g.more += initializer("Q", {2});
     }},
    {"shape mismatch: the projection must be [1,outputs,2] but is [1,2,3]",
     [](OnnxLstm& g) {
       g.attributes += bytes(7, "rnnc");
       g.inputs = {"X", "W", "R", "B", "", "", "", "", "Q"};
       g.more += initializer("Q", {1, 2, 3});
     }},
    {"normalises its gates and has no B",
     [](OnnxLstm& g) {
       g.attributes += bytes(7, "rnnc");
       g.inputs = {"X", "W", "R", "", "", "", "", "", "", "", "N"};
       g.more += initializer("N", {1, 8});
     }},
    {"has 2 activations, not 3",
     [](OnnxLstm& g) {
       g.attributes += texts("activations", {"Tanh", "Tanh"});
     }},
    {"activation \"Swish\" is not one of ONNX's eleven",
     [](OnnxLstm& g) {
       g.attributes += texts("activations", {"Swish", "Tanh", "Tanh"});
     }},
    {"ScaledTanh's alpha is missing",
     [](OnnxLstm& g) {
       g.attributes += texts("activations", {"ScaledTanh", "Tanh", "Tanh"});
     }},
    {"activation_alpha has more values than activations take",
     [](OnnxLstm& g) { g.attributes += reals("activation_alpha", {0.5f}); }},
    {"activation_beta has more values", [](OnnxLstm& g) { g.attributes += reals("activation_beta", {0.5f}); }},
    {"attribute \"linear_before_reset\" is not known",
     [](OnnxLstm& g) { g.attributes += integer("linear_before_reset", 1); }},
    // Weights and inputs.
    {"R is missing",
     [](OnnxLstm& g) {
       g.inputs = {"X", "W"};
     }},
    {"W is missing", [](OnnxLstm& g) { g.inputs[1] = ""; }},
    {"W must be [1,8,I] but is [1,6,3]",
     [](OnnxLstm& g) {
       g.W = {1, 6, 3};
     }},
    {"W must be [1,8,I] but is [8,3]",
     [](OnnxLstm& g) {
       g.W = {8, 3};
     }},
    {"R must be [D,G*H,H] but is [8,2]",
     [](OnnxLstm& g) {
       g.R = {8, 2};
     }},
    {"B must be [1,16] but is [1,8]",
     [](OnnxLstm& g) {
       g.B = {1, 8};
     }},
    {"shape mismatch: W is for 4 features but X has 3",
     [](OnnxLstm& g) {
       g.W = {1, 8, 4};
       g.x = {-1, -1, 3};
     }},
    {"its input has dimensions [B,T] but must have [T,B,F]",
     [](OnnxLstm& g) {
       g.x = {-1, 3};
     }},
    {"W comes from \"lost\", which is not known", [](OnnxLstm& g) { g.inputs[1] = "lost"; }},
    {"W must be of floats",
     [](OnnxLstm& g) {
       g.more += initializer("Wi", {1, 8, 3}, Dims(24, 1));
       g.inputs[1] = "Wi";
     }},
    {"more inputs or outputs than the operator takes",
     [](OnnxLstm& g) { g.inputs = {"X", "W", "R", "B", "", "", "", "", "B"}; }},
    {"P must be [1,6] but is [1,16]", [](OnnxLstm& g) { g.inputs = {"X", "W", "R", "B", "", "", "", "B"}; }},
    {"its input \"lost\" cannot be traced to a graph input", [](OnnxLstm& g) { g.inputs[0] = "lost"; }},
    {"sequence_lens has -1",
     [](OnnxLstm& g) {
       g.more += initializer("l", {1}, {-1});
       g.inputs.push_back("l");
     }},
    {"its sequence_lens are computed", [](OnnxLstm& g) { g.inputs.push_back("lost"); }},
    {"its initial state \"lost\" is not known", [](OnnxLstm& g) { g.inputs = {"X", "W", "R", "B", "", "lost"}; }},
    {"\"h0\" must be [1,B,2] but is [2,1,2]",
     [](OnnxLstm& g) {
       g.more += initializer("h0", {2, 1, 2});
       g.inputs = {"X", "W", "R", "B", "", "h0"};
     }},
    // Shapes that the graph computes.
    {"\"h0\" must be [1,B,2] but is [T,B,3]",
     [](OnnxLstm& g) {
       g.before = node("Shape", {"X"}, {"s"}) + node("ConstantOfShape", {"s"}, {"h0"});
       g.inputs = {"X", "W", "R", "B", "", "h0"};
     }},
    {"makes a constant that is larger than the whole file",
     [](OnnxLstm& g) {
       g.more += initializer("s", {3}, {1, 1, std::int64_t{1} << 40});
       g.before = node("ConstantOfShape", {"s"}, {"h0"});
       g.inputs = {"X", "W", "R", "B", "", "h0"};
     }},
    {"[1,8,2] cannot become [1099511627776,1099511627776,2]",
     [](OnnxLstm& g) {
       g.more += initializer("s", {3}, {std::int64_t{1} << 40, std::int64_t{1} << 40, 2});
       g.before = node("Expand", {"R", "s"}, {"h0"});
       g.inputs = {"X", "W", "h0", "B"};
     }},
    {"a dim of its shape is -3",
     [](OnnxLstm& g) {
       g.more += initializer("s", {1}, {-3});
       g.before = node("ConstantOfShape", {"s"}, {"h0"});
       g.inputs = {"X", "W", "R", "B", "", "h0"};
     }},
    {"[1,8,2] cannot become [1,8,3]",
     [](OnnxLstm& g) {
       g.more += initializer("s", {3}, {1, 8, 3});
       g.before = node("Expand", {"R", "s"}, {"h0"});
       g.inputs = {"X", "W", "h0", "B"};
     }},
    {"its input 0 is no shape that is known",
     [](OnnxLstm& g) {
       g.before = node("ConstantOfShape", {"lost"}, {"h0"});
       g.inputs = {"X", "W", "R", "B", "", "h0"};
     }},
    {"(Shape): its input is not the model's input",
     [](OnnxLstm& g) {
       g.before = node("Shape", {"lost"}, {"s"}) + node("ConstantOfShape", {"s"}, {"h0"});
       g.inputs = {"X", "W", "R", "B", "", "h0"};
     }},
    {"axis 5 is not one of 3 dimensions",
     [](OnnxLstm& g) {
       g.more += initializer("five", {}, {5});
       g.before =
           node("Shape", {"X"}, {"s"}) + node("Gather", {"s", "five"}, {"d"}) + node("ConstantOfShape", {"d"}, {"h0"});
       g.inputs = {"X", "W", "R", "B", "", "h0"};
     }},
    {"\"h0\" must be [1,B,2] but is [1,1,3]",
     [](OnnxLstm& g) {
       g.more += initializer("s", {3}, {1, 1, 3});
       g.before = node("ConstantOfShape", {"s"}, {"h0"});
       g.inputs = {"X", "W", "R", "B", "", "h0"};
     }},
    // Weights that are made of others.
    {"joins [1,8,3] and [1,8,2]",
     [](OnnxLstm& g) {
       g.before = node("Concat", {"W", "R"}, {"WR"}, integer("axis", 0));
       g.inputs[1] = "WR";
     }},
    {"joins tensors to one that is larger than the whole file",
     [](OnnxLstm& g) {
       // Each node doubles: forty of them ask for a million gigabytes.
       std::string last = "W";
       for (int k = 0; k < 40; ++k) {
         const std::string next = "w" + std::to_string(k);
         g.before += node("Concat", {last, last}, {next}, integer("axis", 0));
         last = next;
       }
       g.inputs[1] = last;
     }},
    {"makes a value of more than a million elements",
     [](OnnxLstm& g) {
       std::string last = "Y";
       for (int k = 0; k < 40; ++k) {
         const std::string next = "y" + std::to_string(k);
         g.after += node("Concat", {last, last}, {next}, integer("axis", 3));
         last = next;
       }
       g.result = output(last);
     }},
    {"moves and computes more than 8 million elements",
     [](OnnxLstm& g) {
       // Each value is as large as one may be, and is made of few elements.
       std::string last = "Y";
       for (int k = 0; k < 150; ++k) {
         const std::string next = "y" + std::to_string(k);
         g.after +=
             k < 18 ? node("Concat", {last, last}, {next}, integer("axis", 3)) : node("Identity", {last}, {next});
         last = next;
       }
       g.result = output(last);
     }},
    {"the graph takes, moves and computes more than 8 million elements",
     [](OnnxLstm& g) {
       // A file says in a few bytes that it takes much.
       for (int k = 0; k < 12; ++k)
         g.more += onnx::input("x" + std::to_string(k), {-1, -1, (std::int64_t{1} << 20) - k});
     }},
    {"[1,8,3] cannot become [5,5]",
     [](OnnxLstm& g) {
       g.before = node("Reshape", {"W", "s55"}, {"V"});
       g.more += initializer("s55", {2}, {5, 5});
       g.inputs[1] = "V";
     }},
    {"slices with a step of 0",
     [](OnnxLstm& g) {
       g.before = node("Slice", {"W", "z", "z", "z", "z"}, {"V"});
       g.more += initializer("z", {1}, {0});
       g.inputs[1] = "V";
     }},
    {"starts, ends, axes and steps must be lists of one length",
     [](OnnxLstm& g) {
       g.before = node("Slice", {"W", "z", "zz"}, {"V"});
       g.more += initializer("z", {1}, {0}) + initializer("zz", {2}, {0, 1});
       g.inputs[1] = "V";
     }},
    {"has no value that can be read",
     [](OnnxLstm& g) {
       g.before = node("Constant", {}, {"V"});
       g.inputs[1] = "V";
     }},
    // Tensors.
    {"needs 6 elements, but the file has 5",
     [](OnnxLstm& g) {
       g.more += bytes(5, tensor("t", {2, 3}, zeros({5})));
       g.inputs[1] = "t";
     }},
    {"needs 6 elements, but the file has 7",
     [](OnnxLstm& g) {
       g.more += bytes(5, tensor("t", {2, 3}, zeros({7})));
       g.inputs[1] = "t";
     }},
    {"needs 281474976710656 elements",
     [](OnnxLstm& g) {
       g.more += bytes(5, tensor("t", {1 << 24, 1 << 24}, zeros({5})));
       g.inputs[1] = "t";
     }},
    {"more than 2^64 elements",
     [](OnnxLstm& g) {
       g.more += bytes(5, tensor("t", {1 << 24, 1 << 24, 1 << 24}, zeros({5})));
       g.inputs[1] = "t";
     }},
    {"has a negative dimension",
     [](OnnxLstm& g) {
       g.more += bytes(5, tensor("t", {-1, 3}, zeros({3})));
       g.inputs[1] = "t";
     }},
    {"is too large; split it",
     [](OnnxLstm& g) {
       g.more += bytes(5, tensor("t", {1ll << 40}, zeros({3})));
       g.inputs[1] = "t";
     }},
    {"has 9 dimensions",
     [](OnnxLstm& g) {
       g.more += bytes(5, tensor("t", Dims(9, 1), zeros({1})));
       g.inputs[1] = "t";
     }},
    {"elements of ONNX type 14 cannot be read",
     [](OnnxLstm& g) {
       g.more += bytes(5, tensor("t", {1}, zeros({2}), 14));
       g.inputs[1] = "t";
     }},
    {"its data are in another file",
     [](OnnxLstm& g) {
       g.more += bytes(5, tensor("t", {1}, zeros({1})) + number(14, 1));
       g.inputs[1] = "t";
     }},
    {"initializer \"W\" stands there twice", [](OnnxLstm& g) { g.more += initializer("W", {1}); }},
    {"sparse initializers", [](OnnxLstm& g) { g.more += bytes(15, ""); }},
    {"field 99 is not known", [](OnnxLstm& g) { g.more += bytes(99, "new"); }},
    {"opset 99 is not known", [](OnnxLstm& g) { g.opset = 99; }},
    {"opset 0 is not known", [](OnnxLstm& g) { g.opset = 0; }},
    {"has wire type 0, which ONNX does not give it", [](OnnxLstm& g) { g.more += number(11, 5); }},
    {"has a name with a NUL", [](OnnxLstm& g) { g.more += input(std::string("a\0b", 3), {1}); }},
    {"no UTF-8", [](OnnxLstm& g) { g.more += input("a\xff", {1}); }},
};

// Files that are no model at all, or of which the outermost part is wrong.
struct Wreck {
  const char* error;
  std::string file;
};

std::vector<Wreck> wrecks() {
  const std::string graph = OnnxLstm().text();
  std::string deep = node("Identity", {"a"}, {"b"});
  for (int k = 0; k < 100; ++k) deep = bytes(1, bytes(5, bytes(1, "body") + bytes(6, deep)));
  return {
      {"has no graph", number(1, 8)},
      {"has two graphs", number(1, 8) + bytes(7, graph) + bytes(7, graph)},
      {"ends within a field", model(graph).substr(0, 50)},
      {"ends within a field", number(1, 8) + key(7, 2) + varint(~std::uint64_t{0}) + graph},
      {"more than 64 bits", number(1, 8) + std::string(11, '\xff')},
      {"a field of number 0", number(1, 8) + std::string(2, '\0')},
      {"a field of wire type 3", number(1, 8) + key(7, 3)},
      {"field 30 is not known", number(1, 8) + number(30, 1)},
      {"nest deeper than the limit of 16", model(deep)},
  };
}

}  // namespace

TEST_CASE("the work of reading a graph has a limit that a caller may change", "[errors][import]") {
  ImportOptions options;
  options.limits.max_graph_work = 2;
  const std::string file = OnnxLstm().file();
  const auto refused = import_model(std::as_bytes(std::span(file)), "m.onnx", options);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::Limit);
  CHECK(refused.error().message.find("more than 2 elements; cut the model, or raise FileLimits::max_graph_work") !=
        std::string::npos);
  options.limits.max_graph_work = 5000;
  CHECK(import_model(std::as_bytes(std::span(file)), "m.onnx", options).ok());
}

TEST_CASE("the ONNX file of which the malformed ones are made is good", "[errors][import]") {
  const auto imported = import_model(bytes_of(OnnxLstm().file()), "m.onnx");
  if (!imported) INFO(imported.error().to_string());
  REQUIRE(imported.ok());
  CHECK(imported->weights.at("n_Y.Wi").shape == Shape{2, 3});
}

TEST_CASE("each malformed ONNX file has its own error", "[errors][import]") {
  check_faults(kFaults);
  for (const Wreck& wreck : wrecks()) {
    const auto result = import_model(bytes_of(wreck.file), "m.onnx");
    INFO(wreck.error);
    REQUIRE_FALSE(result.ok());
    INFO(result.error().to_string());
    CHECK(result.error().to_string().find(wreck.error) != std::string::npos);
  }
  CHECK(std::size(kFaults) + wrecks().size() >= 60);
}

TEST_CASE("a graph is told of --shape where its open sizes are the reason", "[errors][import]") {
  const auto error_of = [](const std::function<void(OnnxLstm&)>& change) {
    OnnxLstm graph;
    change(graph);
    const auto result = import_model(bytes_of(graph.file()), "m.onnx");
    REQUIRE_FALSE(result.ok());
    return result.error().to_string();
  };
  const char* const advice = "--shape X=1x512";
  const std::string sizes =
      error_of([](OnnxLstm& g) {  // a step for each 4 features, of which nobody knows how many there are
        g.more += initializer("s", {3}, {0, -1, 4});
        g.before = node("Reshape", {"X", "s"}, {"xs"});
        g.inputs[0] = "xs";
      });
  INFO(sizes);
  CHECK(sizes.find(advice) != std::string::npos);
  const std::string constant = error_of([](OnnxLstm& g) { g.after = behind("Clip", {"s", "s"}); });
  INFO(constant);
  CHECK(constant.find("must be a constant") != std::string::npos);
  CHECK(constant.find(advice) == std::string::npos);
}

TEST_CASE("the bound of the work leaves room for 30 operations on 100,000 elements", "[errors][import]") {
  std::string nodes, last = "x";
  for (int k = 0; k < 30; ++k) {
    const std::string next = k == 29 ? "y" : "v" + std::to_string(k);
    nodes += node("Tanh", {last}, {next});
    last = next;
  }
  const std::string state = node("Add", {"h", "h"}, {"h_out"}) + input("h", {1, 1}) + output("y") + output("h_out");
  const auto imported = import_model(bytes_of(model(nodes + state + input("x", {1, 100'000}))), "m.onnx");
  if (!imported) INFO(imported.error().to_string());
  CHECK(imported.ok());
}

TEST_CASE("an ONNX file changed or cut anywhere is read or refused", "[errors][import]") {
  const std::string file = OnnxLstm().file();
  damage_everywhere(file, [](const std::string& damaged) { return import_model(bytes_of(damaged), "m.onnx"); });
}

}  // namespace rnnc::test
