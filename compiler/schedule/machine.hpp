// The limits of one core of the CPU that a plan is made for: a row for each family that was measured, and what
// documents say of one that was not. A plan depends on them, bits never.
#pragma once

#include <array>

#include "compiler/schedule/target.hpp"

namespace rnnc::compiler {

struct MemoryLevel {
  double bytes = 0;             // working sets up to this stay in it
  double bytes_per_second = 0;  // that one core reads
};

/// The limits of one core, as `rnnc bench` measures them, and the little that is no limit but a cost.
struct Machine {
  const char* name = "";
  double flops_per_second = 0;         // of f32 multiply-adds in the widest vectors
  double latency = 0;                  // of a multiply-add, seconds
  double vector_loads_per_second = 0;  // of the widest vectors
  std::array<MemoryLevel, 4> memory = {};

  double bytes_per_second(double working_set) const;
};

/// The family of the target's CPU, or the nearest one that is known.
const Machine& machine_of(const Target& target);

}  // namespace rnnc::compiler
