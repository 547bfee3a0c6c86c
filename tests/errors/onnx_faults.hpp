// Faults of ONNX files: a good LSTM of 3 inputs and 2 units with one thing changed, each with an error of its own.
#pragma once

#include <functional>
#include <span>
#include <string>

#include <rnnc/import.hpp>

#include "tests/errors/file_bytes.hpp"
#include "tests/errors/onnx_lstm.hpp"
#include "tests/support/catch.hpp"

namespace rnnc::test {

struct OnnxFault {
  const char* error;  // a part of it
  std::function<void(OnnxLstm&)> make;
};

/// A node behind the LSTM's output without its directions, s [T,B,2], that gives the graph's output.
inline std::string behind(const std::string& op, const onnx::Names& inputs, const std::string& attributes = "") {
  return onnx::node("Squeeze", {"Y", "one"}, {"s"}) + onnx::node(op, inputs, {"out"}, attributes);
}

inline void check_faults(std::span<const OnnxFault> faults) {
  for (const OnnxFault& fault : faults) {
    OnnxLstm graph;
    fault.make(graph);
    const auto result = import_model(bytes_of(graph.file()), "m.onnx");
    INFO(fault.error);
    CHECK_FALSE(result.ok());
    if (result.ok()) continue;
    INFO(result.error().to_string());
    CHECK(result.error().to_string().find(fault.error) != std::string::npos);
    CHECK(result.error().to_string().starts_with("m.onnx: "));
  }
}

}  // namespace rnnc::test
