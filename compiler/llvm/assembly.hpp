// Assembly as LLVM writes it for an architecture, read for its loops: what a body costs, and what it spills.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/schedule/target.hpp"

namespace rnnc::compiler {

struct Loop {
  std::string function, label;  // the label that is jumped back to
  std::string name;             // of the block that the label begins, "stage1.columns", where the text tells; else ""
  std::size_t first_line = 0, last_line = 0;  // of any of its blocks, which need not begin with the label's
  int depth = 1;                              // 1: in no other loop
  bool has_loops = false;                     // around others
  bool has_branches = false;                  // labels besides its own
  // Counted in the lines that belong to no loop inside.
  int instructions = 0, multiply_adds = 0, loads = 0, divisions = 0;
  int spills = 0, vector_spills = 0;  // stores to the stack and loads from it that only a lack of registers asks for
  int vector_stack_accesses = 0;      // of whatever kind
};

/// In the order in which they begin. LLVM's comments tell blocks of loops, their names and spills; without them a loop
/// is from a label to the last jump back to it, and no spills are known.
std::vector<Loop> find_loops(Arch arch, std::string_view assembly);

/// The text with a comment at the beginning and the end of every loop, and without LLVM's own comments but those that
/// tell spills.
std::string mark_loops(Arch arch, std::string_view assembly);

}  // namespace rnnc::compiler
