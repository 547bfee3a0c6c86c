// Layers that are imported have the names that exporters give them.
#include "import/onnx/layer_names.hpp"

#include <memory>
#include <string>
#include <vector>

#include <rnnc/import.hpp>

#include "tests/errors/onnx_lstm.hpp"
#include "tests/support/catch.hpp"

namespace rnnc::test {
namespace {

files::OnnxNode node(const std::string& name, const std::string& op, const std::string& scopes = "") {
  return {name, op, op == "DynamicQuantizeLSTM" ? "com.microsoft" : "", {}, {}, {}, scopes};
}

std::vector<std::string> names_of(std::vector<files::OnnxNode> nodes) {
  files::OnnxModel model;
  model.graph.nodes = std::move(nodes);
  const files::LayerNames names(model);
  std::vector<std::string> result;
  for (const files::OnnxNode& each : model.graph.nodes) result.push_back(names.of(each));
  return result;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("layers are named after the modules around a node", "[import]") {
  CHECK(names_of({node("/encoder/rnn/LSTM", "LSTM"), node("/encoder/rnn/LSTM_1", "LSTM"),
                  node("/head/MatMul", "MatMul"), node("/Transpose", "Transpose")}) ==
        Names{"encoder_rnn", "encoder_rnn", "head", ""});
  // A list of modules has its own name twice, and Keras's converter joins several operators.
  CHECK(names_of({node("/layers/layers.0/rnn/GRU", "GRU"), node("/layers/layers.1/rnn/GRU", "GRU"),
                  node("/head/head.2/Gemm", "Gemm")}) == Names{"layers_0_rnn", "layers_1_rnn", "head_2"});
  CHECK(names_of({node("model/lstm_1/LSTM", "LSTM"), node("model/dense/MatMul;model/dense/BiasAdd", "Gemm")}) ==
        Names{"lstm_1", "dense"});
}

TEST_CASE("layers of tf2onnx are named after the layers of Keras", "[import]") {
  files::OnnxNode lstm = node("LSTM__73", "LSTM");
  lstm.inputs = {"StatefulPartitionedCall/vad/lstm_1/PartitionedCall/transpose:0"};
  files::OnnxNode other = node("LSTM__80", "LSTM");
  other.inputs = {"StatefulPartitionedCall/vad/dense/Relu:0"};
  CHECK(names_of({lstm, other, node("StatefulPartitionedCall/vad/conv/conv/Conv2D", "Conv"),
                  node("StatefulPartitionedCall/vad/dense/MatMul", "MatMul")}) == Names{"lstm_1", "", "conv", "dense"});
}

TEST_CASE("layers are named after the scopes in the metadata of PyTorch's exporter", "[import]") {
  CHECK(names_of({node("node_LSTM_12", "LSTM", "['', 'encoder', 'encoder.rnn', 'lstm']"),
                  node("node_linear", "Gemm", "['', 'head', 'linear']"), node("node_add", "Add", "['', 'add']")}) ==
        Names{"encoder_rnn", "head", ""});
  CHECK(names_of({node("node_GRU", "GRU", "['', 'gru']")}) == Names{""});
  for (const char* broken : {"[", "''", "['a', ", "[']"}) CHECK(names_of({node("", "GRU", broken)}) == Names{""});
}

TEST_CASE("what is around all layers is no part of their names", "[import]") {
  CHECK(names_of({node("/model/net/rnn/LSTM", "LSTM"), node("/model/net/fc/Gemm", "Gemm"), node("/Cast", "Cast")}) ==
        Names{"rnn", "fc", ""});
  CHECK(names_of({node("/net/rnn/LSTM", "LSTM"), node("/net/rnn/Squeeze", "Squeeze")}) == Names{"rnn", ""});
  files::OnnxNode branch = node("If_0", "If");
  files::OnnxGraph inside;
  inside.nodes = {node("/other/Add", "Add")};
  branch.attributes["then_branch"].graph = std::make_shared<const files::OnnxGraph>(std::move(inside));
  CHECK(names_of({node("/net/rnn/LSTM", "LSTM"), branch}) == Names{"net_rnn", ""});
}

TEST_CASE("a recurrent node without modules has its own name, if that says more than its operator", "[import]") {
  CHECK(names_of({node("encoder", "LSTM"), node("LSTM__52", "LSTM"), node("node_GRU_3", "GRU"), node("lstm", "LSTM"),
                  node("x", "GRU"), node("a:0", "GRU"), node("", "GRU"), node("dense", "Gemm"),
                  node("rnn1_quant", "DynamicQuantizeLSTM"), node("LSTM_2_quant", "LSTM")}) ==
        Names{"encoder", "", "", "", "", "", "", "", "rnn1", ""});
}

TEST_CASE("long names of layers keep their end", "[import]") {
  const std::string deep = "/a" + std::string(30, 'b') + "/block/attention/out_projection/", wide(60, 'w');
  CHECK(names_of({node(deep + "MatMul", "MatMul"), node("/x/" + wide + "/Add", "Add")}) ==
        Names{"block_attention_out_projection", std::string(40, 'w')});
}

TEST_CASE("the scopes of a node are read from its metadata", "[import]") {
  OnnxLstm graph;
  const auto entry = [](const std::string& key, const std::string& value) {
    return onnx::bytes(9, onnx::bytes(1, key) + onnx::bytes(2, value));
  };
  graph.attributes += entry("pkg.torch.onnx.class_hierarchy", "['Net', 'LSTM']") +
                      entry("pkg.torch.onnx.name_scopes", "['', 'encoder', 'encoder.rnn', 'lstm']");
  const std::string file = graph.file();
  const std::string text = import_model(std::as_bytes(std::span(file)), "m.onnx").value().model.text();
  INFO(text);
  CHECK(text.find("  rnn = lstm<H=2>(X)\n") != std::string::npos);
}

TEST_CASE("a model of PyTorch has the names of its modules", "[import]") {
  const std::string text =
      import_model_file(RNNC_SOURCE_DIR "/tests/conformance/onnx/exported/tagger.onnx").value().model.text();
  INFO(text);
  for (const char* line : {"  rnn_fwd = lstm<H=6>(x)\n", "  rnn2_bwd = reverse lstm<H=6>(concat(rnn_fwd, rnn_bwd))\n",
                           "  head = head_W @ concat(rnn2_fwd, rnn2_bwd)\n"})
    CHECK(text.find(line) != std::string::npos);
}

}  // namespace rnnc::test
