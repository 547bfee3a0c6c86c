// A session of the real ONNX Runtime with our library of operators, for models that a test writes field by field.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/onnx_file.hpp"

namespace rnnc::test {

/// A tensor that a session takes or gives: of floats, or of lengths.
struct OrtTensor {
  std::vector<std::int64_t> shape;
  std::vector<float> floats = {};
  std::vector<std::int32_t> lengths = {};
};

/// The graph input of a type: 1 is float, 6 is int32. All dims are open.
inline std::string open_input(const std::string& name, int rank, int type = 1) {
  std::string shape;
  for (int i = 0; i < rank; ++i) shape += onnx::bytes(1, onnx::bytes(2, name + std::to_string(i)));
  return onnx::bytes(
      11, onnx::bytes(1, name) + onnx::bytes(2, onnx::bytes(1, onnx::number(1, type) + onnx::bytes(2, shape))));
}

/// The node of our operator; `attributes` are model, weights and options.
inline std::string recurrent_node(const onnx::Names& inputs, const onnx::Names& outputs,
                                  const std::string& attributes) {
  return onnx::node("Recurrent", inputs, outputs, onnx::bytes(7, "rnnc") + attributes);
}

/// The content of a file whose nodes may be ours.
inline std::string model_with_ours(const std::string& graph) {
  return onnx::model(onnx::bytes(2, "graph") + graph) + onnx::bytes(8, onnx::bytes(1, "rnnc") + onnx::number(2, 1));
}

class OrtSession {
 public:
  explicit OrtSession(const std::string& model, int threads = 1) {
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(threads);
    options.RegisterCustomOpsLibrary(RNNC_ONNXRUNTIME_EXTENSION);
    session_ = Ort::Session(environment(), model.data(), model.size(), options);
  }

  /// Runs the model once; any thread may.
  std::vector<OrtTensor> run(const onnx::Names& names, std::vector<OrtTensor> inputs, const onnx::Names& outputs) {
    std::vector<Ort::Value> values;
    for (OrtTensor& tensor : inputs) values.push_back(value_of(tensor));
    std::vector<const char*> input_names, output_names;
    for (const std::string& name : names) input_names.push_back(name.c_str());
    for (const std::string& name : outputs) output_names.push_back(name.c_str());
    const std::vector<Ort::Value> given = session_.Run(Ort::RunOptions(nullptr), input_names.data(), values.data(),
                                                       values.size(), output_names.data(), output_names.size());
    std::vector<OrtTensor> results;
    for (const Ort::Value& value : given) {
      const auto info = value.GetTensorTypeAndShapeInfo();
      const float* const data = value.GetTensorData<float>();
      results.push_back({info.GetShape(), {data, data + info.GetElementCount()}});
    }
    return results;
  }

 private:
  static Ort::Env& environment() {
    static Ort::Env made(ORT_LOGGING_LEVEL_FATAL);
    return made;
  }

  static Ort::Value value_of(OrtTensor& tensor) {
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    if (!tensor.lengths.empty())
      return Ort::Value::CreateTensor<std::int32_t>(memory, tensor.lengths.data(), tensor.lengths.size(),
                                                    tensor.shape.data(), tensor.shape.size());
    return Ort::Value::CreateTensor<float>(memory, tensor.floats.data(), tensor.floats.size(), tensor.shape.data(),
                                           tensor.shape.size());
  }

  Ort::Session session_{nullptr};
};

}  // namespace rnnc::test
