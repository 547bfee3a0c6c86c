// Faults of quantised ONNX graphs: a good LSTM of 3 inputs and 2 units, whose weights or outputs are integers, with one
// thing wrong. Each refusal is compared as a whole.
#include <bit>
#include <cmath>
#include <limits>

#include "tests/errors/file_bytes.hpp"
#include "tests/errors/onnx_lstm.hpp"
#include "tests/support/catch.hpp"

#include <rnnc/import.hpp>

namespace rnnc::test {
namespace {

using namespace onnx;

constexpr int kU8 = 2, kI8 = 3, kF32 = 1, kI32 = 6, kI4 = 22;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();

std::string tensor_of(const std::string& name, const Dims& dims, const std::string& data, int type) {
  return bytes(5, tensor(name, dims, data, type));
}
std::string scales(const std::string& name, const Dims& dims, const std::vector<float>& values) {
  return tensor_of(name, dims, raw(values), kF32);
}

// W [1,8,3] is the floats of integers.
OnnxLstm with_integers(const std::string& scale, const std::string& more = "", const Names& inputs = {"q", "s"},
                       const std::string& attributes = "") {
  OnnxLstm g;
  g.before = node("DequantizeLinear", inputs, {"V"}, attributes);
  g.inputs[1] = "V";
  g.more += tensor_of("q", {1, 8, 3}, std::string(24, '\1'), kI8) + scale + more;
  return g;
}

// Behind the LSTM stands s [T,B,2].
OnnxLstm with_behind(const std::string& nodes, const std::string& more) {
  OnnxLstm g;
  g.after = node("Squeeze", {"Y", "one"}, {"s"}) + nodes;
  g.more += more;
  return g;
}

// The LSTM of quantize_dynamic, with W [1,3,8] and R [1,2,8].
OnnxLstm dynamic(const std::string& scale, const Names& of_weights = {"Ws", "Wz", "Rs", "Rz"}) {
  OnnxLstm g;
  g.op = "DynamicQuantizeLSTM";
  g.attributes += bytes(7, "com.microsoft");
  g.inputs = {"X", "Wq", "Rq", "B", "", "", "", ""};
  g.inputs.insert(g.inputs.end(), of_weights.begin(), of_weights.end());
  g.more += tensor_of("Wq", {1, 3, 8}, std::string(24, '\1'), kI8) +
            tensor_of("Rq", {1, 2, 8}, std::string(16, '\1'), kI8) + scale + tensor_of("Wz", {1}, {'\0'}, kI8) +
            scales("Rs", {1}, {0.5f}) + tensor_of("Rz", {1}, {'\0'}, kI8);
  return g;
}

void check(const OnnxLstm& graph, const std::string& message) {
  const auto result = import_model(bytes_of(graph.file()), "m.onnx");
  INFO(message);
  REQUIRE_FALSE(result.ok());
  const std::string text = result.error().to_string();
  CHECK(text.substr(0, text.find('\n')) == "m.onnx: " + message);
}

void check_imports(const OnnxLstm& graph) {
  const auto result = import_model(bytes_of(graph.file()), "m.onnx");
  if (!result) FAIL(result.error().to_string());
}

std::vector<float> weights(const OnnxLstm& graph, const std::string& name) {
  return import_model(bytes_of(graph.file()), "m.onnx").value().weights.at(name).to_f32();
}

}  // namespace

TEST_CASE("scales of ONNX weights are finite numbers, as many as there are rows", "[errors][import]") {
  check_imports(with_integers(scales("s", {}, {0.5f})));
  check_imports(with_integers(scales("s", {8}, std::vector<float>(8, 0.5f))));
  check(with_integers(scales("s", {}, {kNan})),
        "node \"n_V\" (DequantizeLinear): scale 0 is nan; every scale must be a finite number: quantise the model "
        "again");
  std::vector<float> one(8, 0.5f);
  one[3] = -kInfinity;
  check(with_integers(scales("s", {8}, one)),
        "node \"n_V\" (DequantizeLinear): scale 3 is -inf; every scale must be a finite number: quantise the model "
        "again");
  check(with_integers(scales("s", {3}, {1, 1, 1})),
        "node \"n_V\" (DequantizeLinear): shape mismatch: its scales are not one for each place of the axis: 3 for the "
        "8 of dimension 1 of [1,8,3]");
  check(with_integers(scales("s", {2, 4}, std::vector<float>(8, 1))),
        "node \"n_V\" (DequantizeLinear): has scales of several dimensions");
  check(with_integers("", "", {"q"}), "node \"n_V\" (DequantizeLinear): has the wrong number of inputs");
  check(with_integers(tensor_of("s", {}, "\1", kI8)),
        "node \"n_V\" (DequantizeLinear): its scale must be of floats but is I8");
  check(with_integers(scales("s", {}, {1}), "", {"W", "s"}),
        "node \"n_V\" (DequantizeLinear): takes integers of 8 to 32 bits, not F32");
}

TEST_CASE("a scale of 0 makes weights of 0", "[errors][import]") {
  CHECK(weights(with_integers(scales("s", {}, {0})), "n_Y.Wi") == std::vector<float>(6, 0.0f));
}

TEST_CASE("zero points of ONNX weights are as many as the scales", "[errors][import]") {
  const std::string s = scales("s", {8}, std::vector<float>(8, 0.5f));
  CHECK(weights(with_integers(s, tensor_of("z", {8}, std::string(8, '\3'), kI8), {"q", "s", "z"}), "n_Y.Wi") ==
        std::vector<float>(6, -1.0f));
  check(with_integers(s, tensor_of("z", {1}, "\1", kI8), {"q", "s", "z"}),
        "node \"n_V\" (DequantizeLinear): shape mismatch: it has 8 scales but 1 zero points");
  check(with_integers(s, scales("z", {8}, std::vector<float>(8, 1)), {"q", "s", "z"}),
        "node \"n_V\" (DequantizeLinear): its zero point must be of integers but is F32");
}

TEST_CASE("scales of blocks are one for each block", "[errors][import]") {
  const std::string along = integer("axis", 2) + integer("block_size", 2);
  check_imports(with_integers(scales("s", {1, 8, 2}, std::vector<float>(16, 0.5f)), "", {"q", "s"}, along));
  check(with_integers(scales("s", {1, 8, 1}, std::vector<float>(8, 0.5f)), "", {"q", "s"}, along),
        "node \"n_V\" (DequantizeLinear): shape mismatch: blocks of 2 of [1,8,3] have scales of [1,8,2], not [1,8,1]");
  check(with_integers(scales("s", {1, 8, 2}, std::vector<float>(16, 0.5f)), "", {"q", "s"},
                      integer("axis", 2) + integer("block_size", -2)),
        "node \"n_V\" (DequantizeLinear): block_size must not be below 0");
  check(with_integers(scales("s", {1, 8, 2}, std::vector<float>(16, 0.5f)), "", {"q", "s"},
                      integer("axis", 3) + integer("block_size", 2)),
        "node \"n_V\" (DequantizeLinear): axis 3 is not one of 3 dimensions");
}

TEST_CASE("integers of 4 bits come in pairs", "[errors][import]") {
  OnnxLstm g = with_integers(scales("s", {}, {1}), "", {"p", "s"});
  g.more += tensor_of("p", {1, 8, 3}, std::string(12, '\x97'), kI4);
  CHECK(weights(g, "n_Y.Wi") == std::vector<float>{7, -7, 7, -7, 7, -7});
  OnnxLstm short_of_one = with_integers(scales("s", {}, {1}), "", {"p", "s"});
  short_of_one.more += tensor_of("p", {1, 8, 3}, std::string(11, '\x97'), kI4);
  check(short_of_one, "tensor \"p\": shape [1,8,3] of 4 bits needs 12 bytes, but the file has 11; export it again");
}

TEST_CASE("weights and scales of a DynamicQuantizeLSTM are constants that fit", "[errors][import]") {
  check_imports(dynamic(scales("Ws", {1}, {0.5f})));
  check_imports(dynamic(scales("Ws", {1}, {0.5f}), {"Ws", "", "Rs", ""}));
  const std::string node = "node \"n_Y\" (DynamicQuantizeLSTM): ";
  check(dynamic(scales("Ws", {1}, {kNan})),
        node + "scale 0 is nan; every scale must be a finite number: quantise the model again");
  check(dynamic(scales("Ws", {1, 7}, std::vector<float>(7, 1)), {"Ws", "", "Rs", "Rz"}),
        node + "shape mismatch: blocks of 3 of [1,3,8] have scales of [1,1,8], not [1,1,7]");
  check(dynamic(scales("Ws", {1, 8}, std::vector<float>(8, 1))),
        node + "shape mismatch: it has 8 scales but 1 zero points");
  check(dynamic(scales("Ws", {1}, {1}), {"X", "Wz", "Rs", "Rz"}),
        node + "its weights, scales and zero points must be constants, [D,I,G*H] and [D] or [D,G*H]");
}

TEST_CASE("a DynamicQuantizeLSTM has lengths and initial states as an LSTM has", "[errors][import]") {
  OnnxLstm g = dynamic(scales("Ws", {1}, {0.5f}));
  g.inputs[5] = "start";
  g.more += input("start", {1, -1, 2});
  const Imported imported = import_model(bytes_of(g.file()), "m.onnx").value();
  CHECK(imported.model.text().find("from (h = start") != std::string::npos);
  OnnxLstm ragged = dynamic(scales("Ws", {1}, {0.5f}));
  ragged.inputs[4] = "l";
  ragged.more += initializer("l", {1}, {1});
  ragged.after = node("Squeeze", {"Y", "one"}, {"s"}) + node("ReduceMean", {"s"}, {"out"}, integers("axes", {0}));
  check(ragged,
        "node \"n_out\" (ReduceMean): takes rows behind the ends of sequences, which have lengths here; use "
        "the final state (Y_h) for the last step");
}

TEST_CASE("quantised values of a model are refused where they cannot be floats", "[errors][import]") {
  const std::string s = scales("k", {}, {0.5f}), z = tensor_of("z", {}, "\3", kU8);
  check_imports(with_behind(
      node("QuantizeLinear", {"s", "k", "z"}, {"q"}) + node("DequantizeLinear", {"q", "k", "z"}, {"out"}), s + z));
  check(with_behind(node("QuantizeLinear", {"s", "k"}, {"q"}) + node("DequantizeLinear", {"q", "k"}, {"out"}),
                    scales("k", {}, {0})),
        "node \"n_q\" (QuantizeLinear): divides by a scale of 0: quantise the model again");
  check(with_behind(node("QuantizeLinear", {"s", "k"}, {"q"}) + node("DequantizeLinear", {"q", "k"}, {"out"}),
                    scales("k", {}, {kNan})),
        "node \"n_q\" (QuantizeLinear): scale 0 is nan; every scale must be a finite number: quantise the model again");
  check(with_behind(node("QuantizeLinear", {"s", "s"}, {"q"}) + node("DequantizeLinear", {"q", "k"}, {"out"}), s),
        "node \"n_q\" (QuantizeLinear): its scale and zero point must be constants");
  check(with_behind(node("QuantizeLinear", {"s", "k"}, {"q"}, integer("output_dtype", 17)) +
                        node("DequantizeLinear", {"q", "k"}, {"out"}),
                    s),
        "node \"n_q\" (QuantizeLinear): makes other than integers of 4, 8 or 16 bits; quantise the model to int8");
  check(with_behind(node("QuantizeLinear", {"s", "k"}, {"out"}), s),
        "graph output \"out\": is the integers of a QuantizeLinear, which a network does not give; take what a "
        "DequantizeLinear makes of them");
  check(with_behind(node("MatMulInteger", {"s", "K", "s"}, {"out"}), tensor_of("K", {2, 2}, "\1\2\3\4", kI8)),
        "node \"n_out\" (MatMulInteger): its zero points must be constants");
  check(with_behind(node("MatMulInteger", {"s", "K", "", "z2"}, {"out"}),
                    tensor_of("K", {2, 2}, "\1\2\3\4", kI8) + tensor_of("z2", {3}, "\1\2\3", kI8)),
        "node \"n_out\" (MatMulInteger): shape mismatch: its scales are not one for each place of the axis: 3 for the "
        "2 of dimension 1 of [2,2]");
  check(with_behind(node("QGemm", {"s", "k", "z", "K", "k", "z"}, {"out"}, bytes(7, "com.microsoft")),
                    s + z + tensor_of("K", {2, 2}, "\1\2\3\4", kI8)),
        "node \"n_out\" (QGemm): operator \"com.microsoft.QGemm\" computes with integers of 8 bits and cannot be "
        "imported; quantise the model with quant_format=QuantFormat.QDQ, or import it from before it was quantised");
}

TEST_CASE("like ONNX Runtime, activations of 8 bits are refused", "[errors][import]") {
  const OnnxLstm g = with_behind(
      node("DynamicQuantizeLinear", {"s"}, {"q", "k", "z"}) + node("MatMulInteger", {"q", "K", "z"}, {"out"}),
      tensor_of("K", {2, 2}, "\1\2\3\4", kI8));
  check_imports(g);
  const auto result = import_model(bytes_of(g.file()), "m.onnx", {.like = OnnxLike::OnnxRuntime});
  REQUIRE_FALSE(result.ok());
  const std::string text = result.error().to_string();
  CHECK(text.substr(0, text.find('\n')) ==
        "m.onnx: node \"n_q\" (DynamicQuantizeLinear): computes with activations of 8 bits in ONNX Runtime, which a "
        "network cannot; leave --like out to take them as f32, or import the model from before it was quantised");
}

}  // namespace rnnc::test
