// The calls of a network become text: their order, the rows that they read and write, and the places of these in
// memory.
#pragma once

#include <string>
#include <vector>

#include "compiler/network/cut.hpp"

namespace rnnc::compiler {

/// Prints for people which calls a bound network runs when, and where its values lie.
std::string print_execution(const CallList& list, const ir::Network& network);

/// Names the writer of each buffer of `list`: "input x" or "call 3".
std::vector<std::string> writers_of(const CallList& list);

/// Tells whether a buffer holds a state behind its last step, rather than outputs or inputs.
bool is_final_state(const CallList& list, std::size_t buffer);

/// Names a call, e.g. "reverse lstm l1. over T".
std::string text_of(const Call& call);

/// Holds a cell that one or more calls share, with the names of these calls.
struct CalledCell {
  ir::Cell cell;
  std::string callers;  // "l1., l2.": prefixes of scans; the cell's own name of an expression
};
std::vector<CalledCell> called_cells(const CallList& list);

}  // namespace rnnc::compiler
