// Graphs that compute with whole numbers: values of a network are floats, which neither wrap round nor round towards
// zero, so that each graph whose integers would do so is refused.
#include "tests/errors/onnx_faults.hpp"

namespace rnnc::test {
namespace {

using namespace onnx;

constexpr int kUint8 = 2, kInt8 = 3, kUint32 = 12, kInt32 = 6, kInt64 = 7, kFloat = 1;

// Puts nodes that end in the integers "m" in front of the LSTM; X has the type.
void put_before(OnnxLstm& g, int type, const std::string& nodes) {
  g.x_type = type;
  g.before = nodes + node("Cast", {"m"}, {"f"}, integer("to", kFloat));
  g.inputs[0] = "f";
  g.more += initializer("zero", {}, {0}) + initializer("two", {}, {2}) + initializer("last", {1}, {2});
}

const OnnxFault kFaults[] = {
    {"(Add): computes with integers that are narrow or have no sign, which wrap round; put a Cast to int64 or to "
     "float before it",
     [](OnnxLstm& g) {
       put_before(g, kUint8, node("Add", {"X", "X"}, {"m"}));
     }},
    {"(Neg): computes with integers that are narrow",
     [](OnnxLstm& g) { put_before(g, kInt8, node("Neg", {"X"}, {"m"})); }},
    {"(Sub): computes with integers that are narrow",
     [](OnnxLstm& g) {
       put_before(g, kUint32,
                  node("Transpose", {"X"}, {"t"}, integers("perm", {0, 1, 2})) + node("Max", {"t", "X"}, {"most"}) +
                      node("Sub", {"X", "most"}, {"m"}));
     }},
    {"(Mul): computes with integers that are narrow",
     [](OnnxLstm& g) {  // of constants
       g.more += bytes(5, tensor("k", {1}, "\x80", kUint8));
       put_before(g, kFloat,
                  node("Mul", {"k", "k"}, {"kk"}) + node("Cast", {"kk"}, {"kf"}, integer("to", kFloat)) +
                      node("Add", {"X", "kf"}, {"m"}));
     }},
    {"\"n_sum\" (Add): computes with integers that are narrow",
     [](OnnxLstm& g) {  // of what is computed of constants
       g.more += bytes(5, tensor("k", {1}, "\x80", kUint8)) + bytes(5, tensor("l", {1}, "\x70", kUint8));
       put_before(g, kFloat,
                  node("Max", {"k", "l"}, {"kk"}) + node("Add", {"kk", "kk"}, {"sum"}) +
                      node("Cast", {"sum"}, {"kf"}, integer("to", kFloat)) + node("Add", {"X", "kf"}, {"m"}));
     }},
    {"\"n_sixth\" (Mul): makes a whole number that is too large to be followed",
     [](OnnxLstm& g) {  // 2^20 of 32 bits: the square wraps round, a sum does not
       g.more += bytes(5, tensor("k", {1, 1}, std::string("\0\0\x10\0", 4), kInt32));
       put_before(g, kFloat,
                  node("Add", {"k", "k"}, {"double"}) + node("Mul", {"double", "double"}, {"sixth"}) +
                      node("Cast", {"sixth"}, {"kf"}, integer("to", kFloat)) + node("Add", {"X", "kf"}, {"m"}));
     }},
    {"(ReduceMean): of whole numbers gives a whole number; put a Cast to float before it",
     [](OnnxLstm& g) {
       put_before(g, kInt64,
                  node("ReduceMean", {"X"}, {"mean"}, integers("axes", {2})) +
                      node("Concat", {"mean", "mean", "mean"}, {"m"}, integer("axis", 2)));
     }},
    {"(ReduceL2): of whole numbers gives a whole number",
     [](OnnxLstm& g) {
       put_before(g, kInt64,
                  node("ReduceL2", {"X"}, {"norm"}, integers("axes", {2})) +
                      node("Concat", {"norm", "norm", "norm"}, {"m"}, integer("axis", 2)));
     }},
    // Range gives places.
    {"its limit depends on the length of the sequences or the batch",
     [](OnnxLstm& g) {
       put_before(g, kFloat,
                  node("Shape", {"X"}, {"sizes"}) + node("Gather", {"sizes", "zero"}, {"steps"}) +
                      node("Range", {"zero", "steps", "two"}, {"places"}) +
                      node("Gather", {"X", "places"}, {"m"}, integer("axis", 2)));
     }},
    {"its delta is 0",
     [](OnnxLstm& g) {
       put_before(g, kFloat,
                  node("Range", {"zero", "two", "zero"}, {"places"}) +
                      node("Gather", {"X", "places"}, {"m"}, integer("axis", 2)));
     }},
    {"makes a list of more than 4096 sizes",
     [](OnnxLstm& g) {
       g.more += initializer("many", {}, {std::int64_t{1} << 62});
       put_before(g, kFloat,
                  node("Range", {"zero", "many", "two"}, {"places"}) +
                      node("Gather", {"X", "places"}, {"m"}, integer("axis", 2)));
     }},
    {"its inputs must be single numbers",
     [](OnnxLstm& g) {
       g.more += initializer("both", {2}, {1, 2});
       put_before(g, kFloat,
                  node("Range", {"zero", "both", "two"}, {"places"}) +
                      node("Gather", {"X", "places"}, {"m"}, integer("axis", 2)));
     }},
    {"makes a whole number that is too large to be followed",
     [](OnnxLstm& g) {
       g.more += initializer("many", {1, 2}, {1, std::int64_t{1} << 51});
       put_before(
           g, kFloat,
           node("Mul", {"many", "many"}, {"places"}) + node("Gather", {"X", "places"}, {"m"}, integer("axis", 2)));
     }},
};

}  // namespace

TEST_CASE("an ONNX graph whose integers would wrap round or be rounded is refused", "[errors][import]") {
  check_faults(kFaults);
}

TEST_CASE("integers of 8 bits are moved, compared and cast", "[import]") {
  OnnxLstm lstm;
  put_before(lstm, kUint8,
             node("Max", {"X", "low"}, {"larger"}) +
                 node("Slice", {"larger", "two1", "none", "last", "minus"}, {"turned"}) +
                 node("Cast", {"turned"}, {"wide"}, integer("to", kInt64)) + node("Sub", {"wide", "two"}, {"m"}));
  lstm.more += bytes(5, tensor("low", {1}, "\x05", kUint8)) + initializer("two1", {1}, {2}) +
               initializer("none", {1}, {-1000}) + initializer("minus", {1}, {-1});
  const std::string file = lstm.file();
  const Imported imported = import_model(std::as_bytes(std::span(file)), "m.onnx").value();
  const std::string text = imported.model.text();
  INFO(text);
  CHECK(text.find("max(") != std::string::npos);
  CHECK(text.find(" - 2") != std::string::npos);
}

}  // namespace rnnc::test
