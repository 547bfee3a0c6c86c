// This class follows the whole numbers that a graph computes of shapes: exporters read sizes from their inputs, compute
// with them, and make shapes, constants and ranges of the results.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "import/onnx/attributes.hpp"
#include "import/onnx/axes.hpp"
#include "import/onnx/constants.hpp"
#include "import/onnx/values.hpp"

namespace rnnc::files {

/// A tensor of whole numbers, some of which depend on T and B. Truth values are 0 and 1.
struct Counts {
  Shape shape;  // [] or [n], or more dims of numbers
  std::vector<Count> numbers;
};

class OnnxCounts {
 public:
  OnnxCounts(OnnxConstants& constants, std::string_view file) : constants_(constants), file_(file) {}

  /// Tells whether `node` computes such numbers, and computes them; those without T and B become constants. Throws
  /// Refusal.
  bool evaluate(const OnnxNode& node, const std::map<std::string, OnnxValue>& values);

  /// Returns the numbers of a name, constant or not; nullopt if it has none.
  std::optional<Counts> find(const std::string& name) const;

  /// Gives a name one number.
  void put(const std::string& name, const Count& number) { known_[name] = {{}, {number}}; }
  /// Gives the numbers of `from` to another name too.
  void alias(const std::string& from, const std::string& to);

 private:
  std::optional<Counts> compute(OnnxAttributes& attributes, const std::vector<Counts>& inputs) const;

  OnnxConstants& constants_;
  std::string_view file_;
  std::map<std::string, Counts> known_;
};

}  // namespace rnnc::files
