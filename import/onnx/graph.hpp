// An ONNX file becomes structs: the parts of a model, a graph and a node that rnnc reads. A tensor stays in the file
// until it is needed.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rnnc/tensor.hpp>
#include <rnnc/tensor_files.hpp>
#include "import/file_content.hpp"
#include "import/tensor_view.hpp"

namespace rnnc::files {

struct OnnxGraph;

struct OnnxAttribute {
  std::string name;
  int type = 0;  // AttributeProto.AttributeType; 0 where the file has none
  float f = 0;
  std::int64_t i = 0;
  std::string s;
  std::vector<float> floats;
  std::vector<std::int64_t> ints;
  std::vector<std::string> strings;
  std::string_view tensor;  // a TensorProto
  std::shared_ptr<const OnnxGraph> graph;
};

struct OnnxNode {
  std::string name, op, domain;
  std::vector<std::string> inputs, outputs;  // "" for one that is left out
  std::map<std::string, OnnxAttribute> attributes;
  std::string scopes = {};  // the modules around it, as PyTorch's exporter lists them; "" where the file does not

  std::string describe() const;  // `node "a" (LSTM)`, for messages
  std::string input(std::size_t i) const { return i < inputs.size() ? inputs[i] : ""; }
  std::string output(std::size_t i) const { return i < outputs.size() ? outputs[i] : ""; }
};

/// A graph input as the file declares it.
struct OnnxInput {
  std::vector<std::int64_t> dims;  // -1 for a dim without a number
  std::vector<std::string> names;  // of the dims; "" for one without
  bool has_shape = false;
  std::int64_t type = 0;   // TensorProto.DataType; 0 where the file has none
  std::string alias = {};  // its name in the text, where it is no input of the file's graph
};

struct OnnxGraph {
  std::vector<OnnxNode> nodes;
  std::map<std::string, std::string_view> initializers;  // TensorProtos
  std::map<std::string, OnnxInput> details;              // of inputs
  std::vector<std::string> inputs, outputs;
};

struct OnnxModel {
  OnnxGraph graph;
  std::int64_t opset = 0;                                    // of the default domain
  std::vector<std::shared_ptr<const std::string>> own = {};  // TensorProtos that lie in no file
  bool has_layer_names = false;                              // the names of nodes are those of layers, for people
};

/// The files beside a model that hold data of its tensors. None outside the model's folder is read.
class OnnxFiles {
 public:
  OnnxFiles() = default;  // of a model that is no file: there are none
  explicit OnnxFiles(std::string model) : model_(std::move(model)) {}

  /// Returns `length` bytes of a file, all from `offset` on without a length. Throws Refusal.
  std::span<const std::byte> read(const std::string& location, std::uint64_t offset,
                                  std::optional<std::uint64_t> length, std::string_view file, const FileLimits& limits,
                                  const FileContent*& content);
  std::uint64_t bytes() const { return bytes_; }  // of all files that were opened

 private:
  std::string model_;
  std::map<std::string, FileContent> open_;
  std::uint64_t bytes_ = 0;
};

// Both of these throw Refusal.
OnnxModel parse_onnx(std::string_view content, std::string_view file, const FileLimits& limits);
/// Returns a view of `tensor` if its elements lie in a file as they are, and otherwise a copy.
TensorView parse_onnx_tensor(std::string_view tensor, std::string_view file, const FileLimits& limits,
                             OnnxFiles* beside = nullptr);

}  // namespace rnnc::files
