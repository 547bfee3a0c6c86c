// Cells and networks to text: `parse(print(graph))` is equal to the graph. A value that is used twice and has no name
// gets one of the form `%7`, which the parser reads back as no name; so does one whose expression nests deeper than the
// parser accepts. A malformed graph prints too, with `%?` where an operand makes no sense.
#pragma once

#include <string>

#include "ir/cell.hpp"

namespace rnnc::ir {

std::string print(const Graph& graph);
std::string print(const Module& module);

/// A constant as the language has it: the fewest digits that read back as `value`.
std::string number_text(float value);

/// A value in a message: its name, or its expression, cut short where it is long.
std::string describe(const Graph& graph, Value value);

}  // namespace rnnc::ir
