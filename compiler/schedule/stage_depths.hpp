// A cell becomes the places of its work: the depth of the stage that computes each value and makes each copy. A stage
// of so much work that its code would take LLVM more than linear time is cut into stages of successive depths.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/passes/analysis.hpp"
#include "ir/cell.hpp"

namespace rnnc::compiler {

/// Estimates the instructions that the code of a node takes for one block of units of one row.
std::int64_t work_of(const ir::Node& node);

/// The most work of a stage, if values can be parted from it. LLVM took 0.6 ms for each statement such as
/// `v = tanh(a * 0.5 + b) + c` in stages up to this work, twice as long in stages of 8 times and four times as long in
/// stages of 16 times the work. No standard cell comes near it (tests/differential/large_programs_test.cpp).
inline constexpr std::int64_t kMostWork = 2048;

/// The depths of a cell's work. A stage reads values of its phase that have a lesser depth from memory.
struct StageDepths {
  std::vector<int> nodes;                // the stage that computes the node, or the first that can read it
  std::vector<std::vector<int>> copies;  // for a Concat, Hoist or Reduce, the stage that reads each operand
  std::vector<int> statements;           // for a Next or an Output, the stage that stores the value
  std::vector<bool> kept;                // true for a value that a copy reads from memory, since a cut parts the two
  bool is_cut = false;                   // true if there are cuts; each scalar then has one stage too
};

/// Finds the depths of a cell that has been through all passes, whose nodes have these phases. If no stage has more
/// than `most_work`, the depths are those of the analysis `depths`.
StageDepths find_stage_depths(const ir::Cell& cell, const std::vector<Phase>& phases, std::int64_t most_work);

/// Moves products of integers of a step to the depth of the first stage that reads their sums, where there are no cuts.
/// So the sums need no memory, and gates of two vectors are computed in one stage.
void delay_products(const ir::Cell& cell, const std::vector<Phase>& phases, StageDepths& depths);

}  // namespace rnnc::compiler
