// Assembly text as LLVM writes it becomes a list of its loops, with counts of their instructions and spills, or the
// same text with a comment around each loop.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/schedule/target.hpp"

namespace rnnc::compiler {

struct Loop {
  std::string function, label;  // the loop jumps back to this label
  std::string name;             // the block at the label, e.g. "stage1.columns"; "" where the text does not name it
  std::size_t first_line = 0, last_line = 0;  // of all its blocks; the label's block need not be the first
  int depth = 1;                              // 1 is a loop in no other loop
  bool has_loops = false;                     // it has loops inside
  bool has_branches = false;                  // it has labels other than its own
  // The counts are of lines that belong to no loop inside.
  int instructions = 0, multiply_adds = 0, loads = 0, divisions = 0;
  int spills = 0, vector_spills = 0;  // stores to the stack and loads from it, for lack of registers
  int vector_stack_accesses = 0;      // of any kind, spills included
};

/// Returns the loops in the order in which they begin. LLVM's comments tell the loop of each block, the names and the
/// spills. Without these comments a loop is the text from a label to the last jump back to it, and no spills are known.
std::vector<Loop> find_loops(Arch arch, std::string_view assembly);

/// Returns the text with a comment at the beginning and the end of every loop. Of LLVM's own comments only those about
/// spills stay.
std::string mark_loops(Arch arch, std::string_view assembly);

}  // namespace rnnc::compiler
