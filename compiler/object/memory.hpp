// Where the values of a program lie in the memory that a caller of its object gives: for any batch and number of steps,
// by columns, so that a header can say the sizes as formulas.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/artifact.hpp"
#include "runtime/steps.hpp"

namespace rnnc::compiler {

inline constexpr std::int64_t kLine = 16;  // floats of a cache line

/// Scratch: blocks of a time, a row for each of its steps and sequences; blocks of no time, a row for each sequence;
/// then, from a cache line on, the working memory of the cell that runs. A block at column k begins k times its rows
/// behind the first.
struct ObjectMemory {
  int in_y = -1;                      // the block that lies in the caller's y; -1 where none does
  std::vector<std::int64_t> columns;  // by block, where it is ours and not in y
  std::int64_t timed_columns = 0, once_columns = 0;
  std::int64_t cell_row = 0;   // floats of the working memory for each sequence
  std::int64_t chunk_row = 0;  // and for each row of a chunk of time

  // State: rows of each cell's double-buffered states and of its others, cell after cell; by cell, what is before it.
  std::vector<std::int64_t> states;
  std::int64_t state_row = 0;

  /// Whether there are blocks in scratch. Where all rows are the caller's, working memory is all that it has.
  bool has_blocks() const { return timed_columns + once_columns > 0; }
};

/// `cells` are those of the list, in order.
ObjectMemory plan_object_memory(const runtime::StepList& list, const std::vector<const runtime::Description*>& cells);

/// The program's times but T: those whose steps a caller hands over besides.
std::vector<std::string> other_times(const runtime::StepList& list);

}  // namespace rnnc::compiler
