// Flags become the shapes that rnnc bench times in one call: those of --shape, or every combination of the lists of the
// other flags.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <rnnc/result.hpp>

#include "tools/bench_contest.hpp"

namespace rnnc::tools {

// Holds the lists as they were given; a list that was not given is empty.
struct ShapeLists {
  std::vector<std::string> steps;  // N of all times, and NAME=N of one
  std::vector<std::int64_t> batch, input_size, hidden_size, threads;
  std::vector<std::string> shapes;      // CELL:T:B:I:H or CELL:T:B:I:H:THREADS
  std::vector<std::string> weights_as;  // formats; each shape is timed with each of them
};

/// Adds the flags of `lists`. --cell is there already, and takes several names from now on.
void add_shape_flags(CLI::App& app, ShapeLists& lists);

/// Copies `common`, whose cell may be several names with commas between, for each shape; the first list varies slowest.
/// Errors: Usage where a shape does not parse, both forms are mixed, or there are more
/// shapes than anybody waits for.
Result<std::vector<BenchFlags>> each_shape(const BenchFlags& common, const ShapeLists& lists);

/// Returns CELL:T:B:I:H:THREADS, which scripts/bench takes too; a size that only the model tells is "?". Weights that
/// are not f32 are told behind it.
std::string shape_of(const BenchFlags& flags);

}  // namespace rnnc::tools
