// The limits that `rnnc bench` measured on this machine become a file of the cache folder, and the file becomes numbers
// again. Only what `rnnc bench --machine` measured counts as a machine for plans. A file of another version or machine,
// or with numbers that no machine has, is as if it were not there; tools/limits.hpp measures.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/schedule/machine.hpp"
#include "compiler/schedule/target.hpp"

namespace rnnc::compiler {

struct ReadSpeed {
  double bytes = 0;  // the size of the working set
  double bytes_per_second = 0;
};

/// A core as steps use it.
struct MeasuredCore {
  Machine machine = {};
  int lanes = 0;            // the f32 numbers in the widest vectors
  double clock = 0;         // cycles a second
  double flag_seconds = 0;  // from a store by one core until another one sees it; 0 where it was not measured
  bool is_noisy = false;    // something else used the core meanwhile, so that plans keep to the table
};

/// The limits of one core of this machine.
struct Limits {
  std::string cpu;     // the model's name, as the system spells it
  std::string target;  // LLVM's name of the CPU; "" in a build without LLVM
  double flops_per_second = 0;
  std::vector<ReadSpeed> reads = {};  // by rising working set, from kSmallestSet to kLargestSet, each twice the last
  std::optional<MeasuredCore> core = {};
};
inline constexpr const char* kMeasuredHere = "measured here";  // the name of a machine that was
inline constexpr std::int64_t kSmallestSet = 16 * 1024, kLargestSet = 64 * 1024 * 1024;

/// Returns the name that the system has for the model of the CPU.
const std::string& cpu_model();

/// Returns the path of the file with the limits; "" if no cache folder is known. `target` is Limits::target.
std::string limits_path(const std::string& cache_folder, const std::string& cpu, const std::string& target);

std::string text_of(const Limits& limits);

/// Reads what text_of wrote. Returns nothing unless all numbers are such as a machine may have and the text is of this
/// CPU. A core that makes no sense makes the whole text count for nothing, so that all is measured anew.
std::optional<Limits> parse_limits(std::string_view text, const std::string& cpu, const std::string& target);

/// Returns the limits that the file at `path` holds for this CPU.
std::optional<Limits> read_limits(const std::string& path, const std::string& cpu, const std::string& target);

/// Lists the files with limits of this version that make sense, by name.
struct KeptLimits {
  std::string path;
  Limits limits;
};
std::vector<KeptLimits> kept_limits(const std::string& cache_folder);

/// Removes the files with limits, of whatever version, and returns how many bytes each had.
std::vector<std::uint64_t> remove_limits(const std::string& cache_folder);

/// Returns the machine that plans for `target` prefer to the row of the table: the one that was measured here, where
/// the target is the host and the environment lets the cache be read. Code that is made ahead of time asks for none, so
/// that it is the same wherever it is made.
std::optional<Machine> measured_machine(const Target& target);

/// Returns the levels of memory that the reading speeds of rising working sets show, fastest first; the size of a level
/// is that of the largest set that was still read nearly as fast. The last level has the size kBeyond, and stands in
/// all places that are left over. `reads` has at least one speed.
std::array<MemoryLevel, 4> levels_of(const std::vector<ReadSpeed>& reads);

}  // namespace rnnc::compiler
