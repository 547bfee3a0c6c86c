// The plan of a network as text: which calls, in which order, on which buffers.
#pragma once

#include <string>
#include <vector>

#include "compiler/network/cut.hpp"

namespace rnnc::compiler {

/// What a bound network runs when, and where its values lie: for people.
std::string print_execution(const CallList& list, const ir::Network& network);

/// By buffer of `list`: who writes it, "input x" or "call 3".
std::vector<std::string> writers_of(const CallList& list);

/// Whether a buffer holds what a state is behind the last step, rather than outputs or inputs.
bool is_final_state(const CallList& list, std::size_t buffer);

/// "reverse lstm l1. over T"
std::string text_of(const Call& call);

/// One cell for each code that the calls need, with who calls it.
struct CalledCell {
  ir::Cell cell;
  std::string callers;  // "l1., l2.": prefixes of scans; the cell's own name of an expression
};
std::vector<CalledCell> called_cells(const CallList& list);

}  // namespace rnnc::compiler
