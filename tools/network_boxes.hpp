// A list of calls becomes boxes for people: inputs, layers, projections, functions over time and outputs, and which of
// them reads which. tools/network_drawing.hpp draws them, and rnnc explain lists them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "compiler/network/cut.hpp"

namespace rnnc::tools {

struct Box {
  enum class Kind : std::uint8_t { Input, Layer, Between, OverTime, Output };
  Kind kind = Kind::Layer;
  std::string title;
  std::vector<std::string> lines;    // sizes, direction, weights
  std::string states;                // the states that a layer keeps from step to step, as in "h 64, c 64"
  std::vector<std::size_t> sources;  // the boxes that this one reads, each once, all before it
};

/// Lists the boxes so that each comes after those that it reads. `is_network` is false where the model is one cell,
/// whose call has no name.
std::vector<Box> boxes_of(const compiler::CallList& list, bool is_network);

/// Returns the name of a function, as in "add" for "+".
std::string word_of(ir::Function function);

/// Names a layer by its call: "l1.fwd" of the prefix "l1.fwd."; "" for a call without a name.
std::string name_of_call(const compiler::CellCall& call);

}  // namespace rnnc::tools
