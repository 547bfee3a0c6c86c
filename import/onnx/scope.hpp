// A scope holds what is known while the nodes of a graph are read one by one: constants, sizes, values, and the text
// that is written.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "import/onnx/constants.hpp"
#include "import/onnx/counts.hpp"
#include "import/onnx/text.hpp"

namespace rnnc::files {

struct OnnxScope {
  OnnxConstants& constants;
  OnnxCounts& counts;
  NetworkText& text;
  std::map<std::string, OnnxValue> values;
  Atom time{'T', 0}, batch{'B', 0};  // with the sizes that the file declares
  std::int64_t opset = 0;
  std::string_view file;
  bool ragged = false;                               // the graph tells lengths, behind which its sequences have zeros
  bool turned_whole = false, turned_within = false;  // sequences were turned round as a whole, or within their lengths
  std::optional<Element> lengths;                    // the graph input that has the lengths
  bool met_unknown_operator = false;                 // what no text says; the rest of the graph can be cut off

  bool is_lengths(const std::string& name) const {
    const auto found = values.find(name);
    return lengths && found != values.end() && found->second.elements == Elements{*lengths};
  }
};

/// Translates a node that is neither recurrent nor constant and returns its outputs. Throws Refusal if the operator is
/// unknown.
std::vector<OnnxValue> evaluate_glue(const OnnxNode& node, OnnxScope& scope);

}  // namespace rnnc::files
