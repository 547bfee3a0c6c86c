// The verdict of rnnc verify becomes lines of text or JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "tools/drift.hpp"
#include "tools/sequence.hpp"

namespace rnnc::tools {

// rnnc promises these limits, relative to max(1, |value|), where rounding to f32 does no more.
inline constexpr double kMostAfterOneStep = 1e-6;
inline constexpr double kMostAtTheEnd = 5e-6;
// This limit of AIDA-X's plug-ins is for an example that another program computed in f32, in an order of its own.
inline constexpr double kMostOfExample = 1e-5;

struct Verdict {
  std::optional<Difference> first;     // after one step, of random sequences
  Difference whole;                    // over all of them
  std::optional<Difference> example;   // from the outputs in the file, where it has some
  std::optional<Difference> expected;  // from those of --expect
  std::optional<Drift> drift;          // of weights in another format
  Steps steps;                         // of the sequences over which it is compared
  std::int64_t batch = 0;              // so many of them
  std::optional<std::int64_t> seed;    // of random ones
  std::string isa, backend, fallback;
  std::string other = "the interpreter";  // what the program is compared with

  static bool is_kept(const Difference& difference) { return difference.error <= difference.limit; }
  bool ok() const {
    const bool are_numbers = !drift || drift->are_numbers();
    const auto agrees = [](const std::optional<Difference>& difference) { return !difference || is_kept(*difference); };
    return agrees(first) && is_kept(whole) && agrees(example) && agrees(expected) && are_numbers;
  }
};

/// Prints what was compared at a time of the run: the largest difference, and where it is too large, both values.
void print_line(const std::string& when, const Difference& difference, double promised, const std::string& other);

/// Returns "100 steps", or "20 steps of S, 100 of T" where times differ.
std::string steps_text(const Steps& steps);

/// Prints a line for each comparison.
void print(const Verdict& verdict);

/// Returns what --json prints, but for the name of the cell.
nlohmann::json json_of(const Verdict& verdict);

}  // namespace rnnc::tools
