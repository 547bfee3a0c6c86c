// Cells and networks become text such that `parse(print(graph))` equals the graph. A value that is used twice and has
// no name gets one of the form `%7`, which the parser does not keep as a name; so does a value whose expression nests
// deeper than the parser accepts. A Within is printed as a comment, which is not read back. A malformed graph is
// printed too, with `%?` for an operand that makes no sense.
#pragma once

#include <string>
#include <vector>

#include "ir/cell.hpp"

namespace rnnc::ir {

std::string print(const Graph& graph);
std::string print(const Module& module);

/// Writes a constant as the language has it: with the fewest digits that are read back as `value`.
std::string number_text(float value);

/// Describes a value for a message: its name, or its expression, cut short if it is long.
std::string describe(const Graph& graph, Value value);

/// Describes each value of the graph.
std::vector<std::string> describe_all(const Graph& graph);

}  // namespace rnnc::ir
