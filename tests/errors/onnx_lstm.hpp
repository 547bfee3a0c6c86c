// A good ONNX model, an LSTM of 3 inputs and 2 units, whose parts a test may change.
#pragma once

#include <string>

#include "tests/support/onnx_file.hpp"

namespace rnnc::test {

/// The graph in its parts, in the order of the file.
struct OnnxLstm {
  std::string before;  // nodes in front of the LSTM
  std::string op = "LSTM";
  onnx::Names inputs = {"X", "W", "R", "B"}, outputs = {"Y"};
  std::string attributes = onnx::integer("hidden_size", 2);
  std::string after = onnx::node("Squeeze", {"Y", "one"}, {"out"});
  onnx::Dims x = {-1, -1, 3}, W = {1, 8, 3}, R = {1, 8, 2}, B = {1, 16};
  std::string more = onnx::initializer("one", {1}, {1});
  std::string result = onnx::output("out");
  std::int64_t opset = 14;
  int x_type = 1;  // a TensorProto.DataType

  std::string text() const {
    return before + onnx::node(op, inputs, outputs, attributes) + after + onnx::initializer("W", W) +
           onnx::initializer("R", R) + onnx::initializer("B", B) + more + onnx::input("X", x, x_type) + result;
  }
  std::string file() const { return onnx::model(text(), opset); }
};

}  // namespace rnnc::test
