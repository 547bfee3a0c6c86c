// What a stage should take: the larger of what its multiply-adds, loads and weight stream take at the machine's limits,
// and what is done besides. Good enough to tell plans apart; bench --tune measures.
#pragma once

#include <array>
#include <cstdint>

#include "runtime/number_format.hpp"

namespace rnnc::compiler {

struct StagePlan;

struct MemoryLevel {
  double bytes = 0;             // working sets up to this stay in it
  double bytes_per_second = 0;  // that one core reads
};

/// The limits of one core, as `rnnc bench` measures them (an AMD EPYC of the Zen 4 generation), and the little that is
/// no limit but a cost.
struct Machine {
  double flops_per_second = 116e9;
  double latency = 4 / 3.7e9;  // of a multiply-add
  double vector_loads_per_second = 3.4e9;
  std::array<MemoryLevel, 4> memory = {{{29e3, 215e9}, {0.9e6, 113e9}, {24e6, 90e9}, {1e18, 20e9}}};

  double bytes_per_second(double working_set) const;
};

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
