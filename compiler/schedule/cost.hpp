// The shape and the plan of a stage become the time that the stage should take. The time of a column is the largest of
// the times of its multiply-adds, its loads and its weights at the limits of the machine; the element-wise part and the
// overhead are added. The model is good enough to compare plans; `rnnc bench --tune` measures them.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/schedule/machine.hpp"
#include "runtime/number_format.hpp"

namespace rnnc::compiler {

struct StagePlan;

/// So many products of a stage multiply by one panel of so many columns.
struct PanelUse {
  int products = 1;
  std::int64_t columns = 0;
};

/// The facts about a stage on which its cost depends.
struct StageShape {
  int lanes = 16;
  runtime::NumberFormat weights = runtime::kRowFormat;
  int gates = 1;                 // the accumulators of a block
  int blocks = 1;                // the blocks of units
  std::int64_t columns = 0;      // the columns of all products
  std::vector<PanelUse> panels;  // of the stage
  int registers = 32;            // the vector registers
  int operations = 0;            // the element-wise part of a block, in multiply-adds
  int threads = 1;               // the threads that share the blocks of one row
  bool adds_at_once = false;     // one instruction multiplies integers and adds them to a sum
  double products = 1;           // the time of a vector of weights by one row, in multiply-adds
  double phase_bytes = 0;        // the weights of all stages of the phase, which compete for the caches
};

/// Returns the seconds that the stage takes for `rows` rows, which share the weights.
double stage_seconds(const StageShape& shape, const StagePlan& plan, const Machine& machine, std::int64_t rows);

}  // namespace rnnc::compiler
