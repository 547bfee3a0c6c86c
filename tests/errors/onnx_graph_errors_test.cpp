// Graphs that would be misread: a good LSTM of 3 inputs and 2 units with nodes around it that mix steps, sequences and
// features, or read behind the ends of sequences.
#include "tests/errors/onnx_faults.hpp"

namespace rnnc::test {
namespace {

using namespace onnx;

// A loop over the steps of s: it adds them up in h, and gives the sum. `in_step` stands in its body behind the sum n.
struct Loop {
  std::string steps = "t", in_step = node("Identity", {"go"}, {"goes"}), initial = "z", last = "n";
  std::string sum = node("Gather", {"s", "i"}, {"v"}) + node("Add", {"h", "v"}, {"n"});
  std::string behind = node("Identity", {"l"}, {"out"});

  std::string in(OnnxLstm& g) const {
    g.more += initializer("zero", {}, {0}) + initializer("z", {1, 2}) + initializer("three", {}, {3});
    const std::string inputs = bytes(11, bytes(1, "i")) + bytes(11, bytes(1, "go")) + bytes(11, bytes(1, "h"));
    const std::string body = sum + in_step + inputs + output("goes") + output(last);
    return node("Squeeze", {"Y", "one"}, {"s"}) + node("Shape", {"s"}, {"sizes"}) +
           node("Gather", {"sizes", "zero"}, {"t"}) + node("SequenceEmpty", {}, {"empty"}) +
           node("Loop", {steps, "", initial}, {"l"}, bytes(5, bytes(1, "body") + bytes(6, body) + number(20, 5))) +
           behind;
  }
};

const std::string kAddToList = node("Gather", {"s", "i"}, {"v"}) + node("SequenceInsert", {"h", "v"}, {"more"});
const std::string kLastPart = node("ConcatFromSequence", {"parts"}, {"out"}, integer("axis", 0));

const OnnxFault kFaults[] = {
    // Sequences of a batch end at different steps, and nodes read what stands behind their ends.
    {"takes rows behind the ends of sequences, which have lengths here",
     [](OnnxLstm& g) {
       g.more += initializer("l", {1}, {1});
       g.inputs.push_back("l");
       g.after = behind("ReduceMean", {"s"}, integers("axes", {0}));
     }},
    {"reduces other than the steps of a sequence",
     [](OnnxLstm& g) { g.after = behind("ReduceMean", {"s"}, integers("axes", {1})); }},
    {"takes 0 to 2 of dimension 0",
     [](OnnxLstm& g) {
       g.more += initializer("zero", {1}, {0}) + initializer("two", {1}, {2});
       g.after = behind("Slice", {"s", "zero", "two"});
     }},
    {"raises to another power than 1, 2, 3, 4, 0.5, -0.5 and -1",
     [](OnnxLstm& g) {
       g.more += initializer("three", {});
       g.after = behind("Pow", {"s", "three"});
     }},
    {"casts to other than f32", [](OnnxLstm& g) { g.after = behind("Cast", {"s"}, integer("to", 7)); }},
    {"only rows of a matrix can be taken by numbers",
     [](OnnxLstm& g) {
       g.after = behind("Gather", {"W", "s"});
     }},
    // The graph.
    {"operator \"Resize\" cannot be imported", [](OnnxLstm& g) { g.after = node("Resize", {"Y"}, {"out"}); }},
    {"to cut the model before this operator", [](OnnxLstm& g) { g.after = node("Resize", {"Y"}, {"out"}); }},
    {"\"part.onnx\", [\"X\"], [\"Y\"])", [](OnnxLstm& g) { g.after = node("Resize", {"Y"}, {"out"}); }},
    {"to cut the model behind this operator",
     [](OnnxLstm& g) { g.before = node("Resize", {"X"}, {"Z"}), g.inputs[0] = "Z"; }},
    {"\"part.onnx\", [\"Z\"], [\"out\"])",
     [](OnnxLstm& g) {
       g.before = node("Resize", {"X"}, {"Z", "indices"}), g.inputs[0] = "Z";
     }},
    {"\"part.onnx\", [\"X\", \"r\"], [\"out\"])",
     [](OnnxLstm& g) {
       g.after = node("Squeeze", {"Y", "one"}, {"s"}) + node("Resize", {"X"}, {"r"}) + node("Add", {"s", "r"}, {"out"});
     }},
    {"its output \"Y\" has a value already", [](OnnxLstm& g) { g.after = node("Relu", {"Y"}, {"Y"}); }},
    {"its output \"W\" has a value already", [](OnnxLstm& g) { g.before = node("Identity", {"R"}, {"W"}); }},
    {"multiplies two values that both depend on the model's input, as attention does; one must be a constant",
     [](OnnxLstm& g) {
       g.after = behind("MatMul", {"s", "s"});
     }},
    {"\"part.onnx\", [\"X\"], [\"s\"])",
     [](OnnxLstm& g) {
       g.after = behind("MatMul", {"s", "s"});
     }},
    {"2 features times a constant of shape [1,8,3]",
     [](OnnxLstm& g) {
       g.after = behind("MatMul", {"s", "W"});
     }},
    {"transA is set",
     [](OnnxLstm& g) {
       g.after = behind("Gemm", {"s", "R2"}, integer("transA", 1));
       g.more += initializer("R2", {2, 2});
     }},
    {"is not one number for each output",
     [](OnnxLstm& g) {
       g.after = node("Squeeze", {"Y", "one"}, {"s"}) + node("Gather", {"s", "zero"}, {"first"}, integer("axis", 0)) +
                 node("Gemm", {"first", "R2", "B"}, {"out"});
       g.more += initializer("zero", {}, {0});
       g.more += initializer("R2", {2, 2});
     }},
    {"its inputs differ in shape: [T,B,2] and [1,16]",
     [](OnnxLstm& g) {
       g.after = behind("Add", {"s", "B"});
     }},
    {"takes two inputs, not 3",
     [](OnnxLstm& g) {
       g.after = behind("Add", {"s", "s", "s"});
     }},
    {"perm is no order of the 3 dimensions",
     [](OnnxLstm& g) {
       g.after = behind("Transpose", {"s"}, integers("perm", {0, 0, 1}));
     }},
    {"perm is no order of the 3 dimensions",
     [](OnnxLstm& g) { g.after = behind("Transpose", {"s"}, integers("perm", {})); }},
    {"squeezes dimension 0, which need not be 1",
     [](OnnxLstm& g) {
       g.after = node("Squeeze", {"Y", "zero"}, {"out"});
       g.more += initializer("zero", {1}, {0});
     }},
    {"axis 9 is not one of 4 dimensions",
     [](OnnxLstm& g) {
       g.after = node("Squeeze", {"Y", "nine"}, {"out"});
       g.more += initializer("nine", {1}, {9});
     }},
    {"which dimensions are 1 depends on the data", [](OnnxLstm& g) { g.after = node("Squeeze", {"Y"}, {"out"}); }},
    {"an axis stands in axes twice",
     [](OnnxLstm& g) {
       g.after = node("Unsqueeze", {"Y", "twice"}, {"out"});
       g.more += initializer("twice", {2}, {0, 0});
     }},
    {"reshapes [T,1,B,2] to [-1,6], which mixes steps or sequences with features",
     [](OnnxLstm& g) {
       g.after = node("Reshape", {"Y", "shape"}, {"out"});
       g.more += initializer("shape", {2}, {-1, 6});
     }},
    {"joins along a dimension that is not the features",
     [](OnnxLstm& g) {
       g.after = behind("Concat", {"s", "s"}, integer("axis", 0));
     }},
    {"Softmax along [T,B,2] at dimension 1, which is not the features",
     [](OnnxLstm& g) { g.after = behind("Softmax", {"s"}, integer("axis", 1)); }},
    {"takes index 3 of dimension 0",
     [](OnnxLstm& g) {
       g.after = behind("Gather", {"s", "three"});
       g.more += initializer("three", {}, {3});
     }},
    {"graph output \"lost\": does not depend on the model's input", [](OnnxLstm& g) { g.result = output("lost"); }},
    {"the graph has no outputs", [](OnnxLstm& g) { g.result = ""; }},
    {"the graph has no RNN, GRU or LSTM node",
     [](OnnxLstm& g) { g.op = "Relu", g.inputs = {"X"}, g.attributes = "", g.after = "", g.result = output("Y"); }},
    // Lengths: the graph sees what is behind the ends wherever it reads over the time.
    {"takes rows behind the ends of sequences, which have lengths here",
     [](OnnxLstm& g) {  // in front of the node that has the lengths
       g.more += initializer("l", {1}, {1});
       g.before = node("ReduceMean", {"X"}, {"m"}, integers("axes", {0})) + node("Sub", {"X", "m"}, {"Z"});
       g.inputs = {"Z", "W", "R", "B", "l"};
     }},
    {"reads steps ahead, which are behind the ends of sequences that have lengths",
     [](OnnxLstm& g) {
       g.more += initializer("l", {1}, {1}) + initializer("K", {3, 3, 3});
       g.before = node("Transpose", {"X"}, {"t"}, integers("perm", {1, 2, 0})) +
                  node("Conv", {"t", "K"}, {"c"}, integers("pads", {1, 1})) +
                  node("Transpose", {"c"}, {"Z"}, integers("perm", {2, 0, 1}));
       g.inputs = {"Z", "W", "R", "B", "l"};
     }},
    // Convolutions.
    {"takes a sequence with steps put around it, but does not go over the time",
     [](OnnxLstm& g) {
       g.x = {-1, 1, 3};
       g.more += initializer("K", {3, 3, 1}) + initializer("p", {6}, {1, 0, 0, 1, 0, 0});
       g.before = node("Pad", {"X", "p"}, {"t"}) + node("Transpose", {"t"}, {"w"}, integers("perm", {0, 2, 1})) +
                  node("Conv", {"w", "K"}, {"v"}) + node("Transpose", {"v"}, {"Z"}, integers("perm", {0, 2, 1}));
       g.inputs = {"Z", "W", "R", "B"};
     }},
    {"its input 1 has no elements",
     [](OnnxLstm& g) {
       g.more += initializer("K", {0, 3, 1});
       g.after = node("Squeeze", {"Y", "one"}, {"s"}) + node("Transpose", {"s"}, {"t"}, integers("perm", {1, 2, 0})) +
                 node("Conv", {"t", "K"}, {"out"});
     }},
    {"its input 1 has no elements",
     [](OnnxLstm& g) {
       g.more += initializer("low", {0});
       g.after = behind("Clip", {"s", "low"});
     }},
    {"its kernel is larger than [T,1,2,1,1,1]",
     [](OnnxLstm& g) {  // the product of its sizes is 2^64
       g.after = node("Squeeze", {"Y", "one"}, {"s"}) + node("Unsqueeze", {"s", "axes"}, {"u"}) +
                 node("MaxPool", {"u"}, {"out"}, integers("kernel_shape", {65536, 65536, 65536, 65536}));
       g.x = {-1, 1, 3};
       g.more += initializer("axes", {3}, {3, 4, 5});
     }},
    // Places, blocks and groups.
    {"takes index -3 of dimension 0, which has 2",
     [](OnnxLstm& g) {
       g.more += initializer("at", {1, 1}, {-3});
       g.after = node("Squeeze", {"Y", "one"}, {"s"}) + node("Transpose", {"s"}, {"t"}, integers("perm", {2, 0, 1})) +
                 node("GatherND", {"t", "at"}, {"out"});
     }},
    {"for each step or sequence by themselves",
     [](OnnxLstm& g) {
       g.more += initializer("at", {2, 1, 1}, {0, 1});
       g.after = behind("GatherElements", {"s", "at"}, integer("axis", 2));
     }},
    {"its places have another rank than its input",
     [](OnnxLstm& g) {
       g.more += initializer("at", {2}, {0, 1});
       g.after = behind("GatherElements", {"s", "at"}, integer("axis", 2));
     }},
    {"takes places that depend on the data",
     [](OnnxLstm& g) {
       g.after = node("ArgMax", {"Y"}, {"at"}, integer("axis", 3)) + node("GatherND", {"Y", "at"}, {"out"});
     }},
    {"batch_dims is not 0",
     [](OnnxLstm& g) {
       g.more += initializer("at", {1, 1}, {0});
       g.after = behind("GatherND", {"s", "at"}, integer("batch_dims", 1));
     }},
    {"takes places of [T,B,2]",
     [](OnnxLstm& g) {
       g.more += initializer("at", {1, 1}, {0});
       g.after = behind("GatherND", {"s", "at"});
     }},
    {"moves places of [T,1,B,2]",
     [](OnnxLstm& g) { g.after = node("DepthToSpace", {"Y"}, {"out"}, integer("blocksize", 2)); }},
    {"shape mismatch: blocks of 2 in ",
     [](OnnxLstm& g) {
       g.more += initializer("image", {4}, {-1, 2, 1, 1});
       g.after = node("Squeeze", {"Y", "one"}, {"s"}) + node("Reshape", {"s", "image"}, {"i"}) +
                 node("DepthToSpace", {"i"}, {"out"}, integer("blocksize", 2));
       g.x = {-1, 1, 3};
     }},
    {"num_groups 3 does not divide 2 channels",
     [](OnnxLstm& g) {
       g.opset = 21;
       g.more += initializer("channels", {3}, {-1, 2, 1}) + initializer("k", {2});
       g.x = {-1, 1, 3};
       g.after = node("Squeeze", {"Y", "one"}, {"s"}) + node("Reshape", {"s", "channels"}, {"c"}) +
                 node("GroupNormalization", {"c", "k", "k"}, {"out"}, integer("num_groups", 3));
     }},
    {"its condition \"is_fast\" is known only when the model runs; give the input \"rate\" a value (--const NAME=VALUE",
     [](OnnxLstm& g) {
       const std::string branch = node("Identity", {"Y"}, {"b"}) + output("b");
       const std::string branches = bytes(5, bytes(1, "then_branch") + bytes(6, branch) + number(20, 5)) +
                                    bytes(5, bytes(1, "else_branch") + bytes(6, branch) + number(20, 5));
       g.more += input("rate", {}) + initializer("half", {});
       g.after = node("Greater", {"rate", "half"}, {"is_fast"}) + node("If", {"is_fast"}, {"out"}, branches);
     }},
    // Scan.
    {"runs over all steps of sequences that have lengths",
     [](OnnxLstm& g) {
       g.more += initializer("l", {1}, {1});
       g.inputs.push_back("l");
       const std::string body =
           node("Add", {"h", "v"}, {"n"}) + bytes(11, bytes(1, "h")) + bytes(11, bytes(1, "v")) + output("n");
       g.after = node("Squeeze", {"Y", "one"}, {"s"}) +
                 node("Scan", {"z", "s"}, {"last"},
                      integer("num_scan_inputs", 1) + bytes(5, bytes(1, "body") + bytes(6, body))) +
                 node("Identity", {"last"}, {"out"});
       g.more += initializer("z", {1, 2});
     }},
    {"attribute \"mode\" is not known",
     [](OnnxLstm& g) {
       const std::string body =
           node("Add", {"h", "v"}, {"n"}) + bytes(11, bytes(1, "h")) + bytes(11, bytes(1, "v")) + output("n");
       g.after = node("Squeeze", {"Y", "one"}, {"s"}) +
                 node("Scan", {"z", "s"}, {"out"},
                      integer("num_scan_inputs", 1) + integer("mode", 1) + bytes(5, bytes(1, "body") + bytes(6, body)));
       g.more += initializer("z", {1, 2});
     }},
    // Loop.
    {"ends by a condition", [](OnnxLstm& g) { g.after = Loop{.in_step = node("Not", {"go"}, {"goes"})}.in(g); }},
    {"does not run once for each step of a sequence", [](OnnxLstm& g) { g.after = Loop{.steps = "three"}.in(g); }},
    {"computes with the number of its step",
     [](OnnxLstm& g) {
       Loop loop;
       loop.sum = node("Gather", {"s", "i"}, {"v"}) + node("Cast", {"i"}, {"f"}, integer("to", 1)) +
                  node("Mul", {"v", "f"}, {"n"});
       g.after = loop.in(g);
     }},
    {"takes another step of \"s\" than its own or, from the end, count - 1 - i; slice the sequence before the loop",
     [](OnnxLstm& g) {
       Loop loop;
       loop.sum = node("Sub", {"t", "i"}, {"j"}) + node("Gather", {"s", "j"}, {"v"}) + node("Add", {"h", "v"}, {"n"});
       g.after = loop.in(g);
     }},
    {"takes another step of \"s\" than its own or, from the end, count - 1 - i",
     [](OnnxLstm& g) {
       Loop loop;
       loop.sum = node("Sub", {"i", "three"}, {"j"}) + node("Gather", {"s", "i"}, {"v"}) +
                  node("Gather", {"s", "j"}, {"w"}) + node("Add", {"v", "w"}, {"n"});
       g.after = loop.in(g);
     }},
    {"reads no sequence at the number of its step",
     [](OnnxLstm& g) {
       g.after = Loop{.sum = node("Add", {"h", "h"}, {"n"})}.in(g);
     }},
    {"does more with its list \"h\" than add to it",
     [](OnnxLstm& g) {
       Loop loop{.initial = "empty", .last = "more"};
       loop.sum = node("Gather", {"s", "i"}, {"v"}) + node("SequenceInsert", {"h", "v", "zero"}, {"more"});
       g.after = loop.in(g);
     }},
    {"joins steps along a dim of more than one place",
     [](OnnxLstm& g) {
       Loop loop{.initial = "empty", .last = "more"};
       loop.sum = node("Gather", {"s", "i"}, {"v"}) + node("SequenceInsert", {"h", "v"}, {"more"});
       loop.behind = node("ConcatFromSequence", {"l"}, {"out"}, integer("axis", 1));
       g.after = loop.in(g);
     }},
    // Histories: what a loop adds to is a state only where its steps read the last item.
    {"does more with its list \"h\" than add to it and read its last item",
     [](OnnxLstm& g) {
       Loop loop{.initial = "begun", .last = "more"};
       loop.sum = node("SequenceAt", {"h", "zero"}, {"w"}) + kAddToList;
       g.after = node("SequenceConstruct", {"z"}, {"begun"}) + loop.in(g);
     }},
    {"does more with its list \"h\" than add to it and read its last item",
     [](OnnxLstm& g) {
       Loop loop{.initial = "empty", .last = "more"};
       loop.sum = node("SequenceAt", {"h", "i"}, {"w"}) + kAddToList;
       g.after = loop.in(g);
     }},
    {"does more with its rows \"h\" than add to them and read the last one",
     [](OnnxLstm& g) {
       Loop loop{.last = "more"};
       loop.sum = node("Gather", {"h", "zero"}, {"w"}) + node("Gather", {"s", "i"}, {"v"}) +
                  node("Concat", {"h", "v"}, {"more"}, integer("axis", 0));
       g.after = loop.in(g);
     }},
    {"joins along a dimension that is not the features",  // The newest row stands first.
     [](OnnxLstm& g) {
       Loop loop{.last = "more"};
       loop.sum = node("Gather", {"s", "i"}, {"v"}) + node("Concat", {"v", "h"}, {"more"}, integer("axis", 0));
       g.after = loop.in(g);
     }},
    {"does more with its rows \"h\" than add to them and read the last one",  // It does so within an If.
     [](OnnxLstm& g) {
       Loop loop{.last = "more"};
       g.more += initializer("yes", {}, {1});
       const std::string branch = bytes(6, node("Gather", {"h", "zero"}, {"w"}) + output("w"));
       loop.sum = node("If", {"yes"}, {"v"},
                       bytes(5, bytes(1, "then_branch") + branch + number(20, 5)) +
                           bytes(5, bytes(1, "else_branch") + branch + number(20, 5))) +
                  node("Gather", {"s", "i"}, {"x"}) + node("Concat", {"h", "x"}, {"more"}, integer("axis", 0));
       g.after = loop.in(g);
     }},
    {"takes \"all\" with what it began with, which is no step; take the steps, [1:], or the last one, [-1]",
     [](OnnxLstm& g) {
       Loop loop{.initial = "begun", .last = "more"};
       loop.sum = kAddToList;
       loop.behind = node("ConcatFromSequence", {"l"}, {"all"}, integer("axis", 0) + integer("new_axis", 1)) +
                     node("Relu", {"all"}, {"out"});
       g.after = node("SequenceConstruct", {"z"}, {"begun"}) + loop.in(g);
     }},
    {"a list can be stacked or joined, and its last item be taken",
     [](OnnxLstm& g) {
       Loop loop{.initial = "begun", .last = "more"};
       loop.sum = kAddToList;
       loop.behind = node("SequenceAt", {"l", "zero"}, {"out"});
       g.after = node("SequenceConstruct", {"z"}, {"begun"}) + loop.in(g);
     }},
    {"takes steps of \"parts\", which is no sequence",
     [](OnnxLstm& g) {
       Loop loop{.sum = node("SequenceAt", {"parts", "i"}, {"v"}) + node("Add", {"h", "v"}, {"n"})};
       g.after = node("SequenceConstruct", {"Y"}, {"parts"}) + loop.in(g);
     }},
    {"splits other than a sequence into its steps",
     [](OnnxLstm& g) { g.after = node("SplitToSequence", {"Y"}, {"parts"}, integer("axis", 3)) + kLastPart; }},
    {"splits other than a sequence into its steps",
     [](OnnxLstm& g) {
       g.more += initializer("two", {}, {2});
       g.after = node("SplitToSequence", {"Y", "two"}, {"parts"}) + kLastPart;
     }},
};

}  // namespace

TEST_CASE("each ONNX graph that would be misread has its own refusal", "[errors][import]") { check_faults(kFaults); }

TEST_CASE("a Loop that takes steps from the end is a recurrence that goes backwards", "[import]") {
  for (const bool from_minus_one : {false, true}) {
    OnnxLstm lstm;
    Loop loop;
    loop.sum = from_minus_one ? node("Sub", {"minus", "i"}, {"j"})
                              : node("Sub", {"t", "i"}, {"k"}) + node("Add", {"k", "minus"}, {"j"});
    loop.sum += node("Gather", {"s", "j"}, {"v"}) + node("Sub", {"v", "h"}, {"n"});
    lstm.more += initializer("minus", {}, {-1});
    lstm.after = loop.in(lstm);
    const std::string file = lstm.file();
    const auto imported = import_model(std::as_bytes(std::span(file)), "m.onnx");
    REQUIRE(imported.ok());
    const std::string text = imported.value().model.text();
    INFO(text);
    CHECK(text.find(" = reverse n_l_cell(n_Y)") != std::string::npos);
  }
}

}  // namespace rnnc::test
