// Readers of other formats write their model as an ONNX graph, which is what reads it from there on: layers and
// operators become nodes of ONNX, of the same meaning, and constants initializers.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "import/onnx/graph.hpp"

namespace rnnc::files {

/// Attributes of a node that is written.
class NodeAttributes {
 public:
  NodeAttributes& integer(const std::string& name, std::int64_t value);
  NodeAttributes& real(const std::string& name, float value);
  NodeAttributes& reals(const std::string& name, std::vector<float> values);
  NodeAttributes& text(const std::string& name, const std::string& value);
  NodeAttributes& integers(const std::string& name, std::vector<std::int64_t> values);
  NodeAttributes& texts(const std::string& name, std::vector<std::string> values);
  NodeAttributes& graph(const std::string& name, OnnxGraph value);

  const std::map<std::string, OnnxAttribute>& all() const { return all_; }

 private:
  OnnxAttribute& add(const std::string& name, int type);
  std::map<std::string, OnnxAttribute> all_;
};

class GraphWriter {
 public:
  /// Constants take at most some 64 times `file_bytes`.
  GraphWriter(std::size_t file_bytes, std::string_view file);

  std::string_view file() const { return file_; }
  /// Adds a constant and returns its name. Throws Refusal if there are too many.
  std::string floats(const Shape& shape, const std::vector<float>& values);
  std::string integers(const Shape& shape, const std::vector<std::int64_t>& values);
  /// Adds a node with one output, and returns its name.
  std::string node(const std::string& op, std::vector<std::string> inputs, const NodeAttributes& attributes = {},
                   const std::string& domain = "");
  /// Adds a node with several outputs.
  std::vector<std::string> nodes(const std::string& op, std::vector<std::string> inputs, std::size_t outputs,
                                 const NodeAttributes& attributes, const std::string& domain = "");
  std::string fresh();

 protected:
  /// Adds an input. A dim that is open is -1 or, in some files, another number below 1.
  void add_input(const std::string& name, const Shape& dims, const std::vector<std::string>& names, bool is_whole);
  /// Gives a value as an output of this name, or one that differs from the names of all inputs and outputs.
  void add_output(const std::string& from, const std::string& name);

  OnnxModel result_;
  std::vector<OnnxNode>* nodes_ = &result_.graph.nodes;  // of the graph that is written
  std::string now_;                                      // the name of nodes that are written

 private:
  std::string constant(const Shape& shape, int type, std::string_view bytes);

  std::string_view file_;
  std::size_t bytes_left_;  // of constants
  int next_ = 0;
};

}  // namespace rnnc::files
