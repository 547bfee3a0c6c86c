// A target becomes the limits of one core of its CPU. Each CPU family has a row, measured or taken from documents; what
// `rnnc bench --machine` measured on this machine is read by limits.hpp. Plans depend on these numbers; the bits of
// results never do.
#pragma once

#include <array>
#include <string>

#include "compiler/schedule/target.hpp"

namespace rnnc::compiler {

inline constexpr double kBeyond = 1e18;  // more bytes than any cache or working set has

struct MemoryLevel {
  double bytes = 0;             // working sets up to this size stay in the level
  double bytes_per_second = 0;  // the speed at which one core reads from the level
};

/// Weights of 8 bits, of more than `bytes` in all, are read so many times as fast where the blocks of one row come
/// one after the other as where several are read side by side.
struct LoneStream {
  double bytes = kBeyond;
  double times = 1;
};

/// The limits of one core, as `rnnc bench` measures them.
struct Machine {
  const char* name = "";
  double flops_per_second = 0;         // f32 operations in the widest vectors, two for each multiply-add
  double latency = 0;                  // seconds from one multiply-add of a chain to the next
  double vector_loads_per_second = 0;  // loads of the widest vectors
  std::array<MemoryLevel, 4> memory = {};
  LoneStream lone_stream = {};  // not measured by `rnnc bench`, and the same for all CPUs of a family

  double bytes_per_second(double working_set) const;
  /// Returns how many multiply-adds of vectors of `lanes` must be in flight at once to reach the peak.
  int chains(int lanes) const;
};

/// Returns the family of the target's CPU, or the nearest family that has a row.
const Machine& machine_of(const Target& target);

/// Returns all numbers of a machine as text: equal machines have equal texts, and others have
/// others.
std::string numbers_of(const Machine& machine);

/// Returns a machine of the CPU that LLVM calls `cpu` as the two rows that machine.cpp has for it: its numbers, and its
/// place in the table of families. `clock` is in cycles a second.
std::string row_of(const Machine& machine, const std::string& cpu, double clock);

}  // namespace rnnc::compiler
