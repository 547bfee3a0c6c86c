// What a stage should take: the larger of what its multiply-adds, loads and weight stream take at the machine's limits,
// and what is done besides. Good enough to tell plans apart; bench --tune measures.
#pragma once

#include <cstdint>

#include "compiler/schedule/machine.hpp"
#include "runtime/number_format.hpp"

namespace rnnc::compiler {

struct StagePlan;

/// A stage as its cost depends on it.
struct StageShape {
  int lanes = 16;
  runtime::NumberFormat weights = runtime::kRowFormat;
  int gates = 1;             // accumulators of a block
  int blocks = 1;            // of units
  std::int64_t columns = 0;  // of all products
  int operations = 0;        // of the element-wise part, for a block: in multiply-adds
  double phase_bytes = 0;    // weights of all stages of its phase, which pass through the caches together
};

/// Seconds for `rows` rows, which share the weights.
double stage_seconds(const StageShape& shape, const StagePlan& plan, const Machine& machine, std::int64_t rows);

}  // namespace rnnc::compiler
