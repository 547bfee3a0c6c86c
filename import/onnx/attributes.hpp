// This class reads the attributes of one node, each with its type, and reports every attribute that was not read.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "import/onnx/graph.hpp"

namespace rnnc::files {

class OnnxAttributes {
 public:
  OnnxAttributes(const OnnxNode& node, std::string_view file) : node_(node), file_(file) {}

  // Each returns nullopt if the node has no attribute of this name, and throws Refusal if it has another type.
  std::optional<std::int64_t> integer(const std::string& name);
  std::optional<float> real(const std::string& name);
  std::optional<std::string> text(const std::string& name);
  std::optional<std::vector<std::int64_t>> integers(const std::string& name);
  std::optional<std::vector<float>> reals(const std::string& name);
  std::optional<std::vector<std::string>> texts(const std::string& name);
  const OnnxAttribute* tensor(const std::string& name) { return find(name, 4, "a tensor"); }

  /// Checks, after the last of them is read, that the node has no other attributes.
  void finish() const;

  [[noreturn]] void invalid(const std::string& why) const;
  [[noreturn]] void unsupported(const std::string& why) const;
  [[noreturn]] void too_large(const std::string& why) const;
  const OnnxNode& node() const { return node_; }

 private:
  const OnnxAttribute* find(const std::string& name, int type, const std::string& kind);

  const OnnxNode& node_;
  std::string_view file_;
  std::set<std::string> read_;
};

}  // namespace rnnc::files
