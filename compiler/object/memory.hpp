// A program's list of steps becomes the layout of the memory that a caller of its object provides. Places are counted
// in columns, so that they hold for any batch and number of steps and a header can say the sizes as formulas.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/artifact.hpp"
#include "runtime/number_format.hpp"
#include "runtime/steps.hpp"

namespace rnnc::compiler {

inline constexpr std::int64_t kLine = runtime::kCacheLineFloats;

/// Returns the most floats that an address space may have: a quarter of its bytes, so that a sum of two sizes fits too.
constexpr std::int64_t most_floats(unsigned pointer_bytes) {
  return pointer_bytes == 8 ? std::int64_t{1} << 60 : std::int64_t{1} << 28;
}

/// Scratch has three parts. The first has the blocks of sequences, with a row for each step and sequence. The second
/// has the blocks of vectors, with a row for each sequence. The third begins on a cache line and is the working memory
/// of the cell that runs. In the first part, a block at column k begins k * R floats behind the beginning, where R is
/// the number of rows of the longest time; in the second part, R is the batch.
struct ObjectMemory {
  int in_y = -1;                      // the block that lies in the caller's y; -1 where none does
  std::vector<std::int64_t> columns;  // of each block in scratch
  std::int64_t timed_columns = 0, once_columns = 0;
  std::int64_t cell_row = 0;   // floats of working memory for each sequence
  std::int64_t chunk_row = 0;  // floats of working memory for each row of a chunk of time

  // The state has the double-buffered states of each cell and then its others, cell after cell. `states` counts, for
  // each cell, the floats of a sequence that lie before it.
  std::vector<std::int64_t> states;
  std::int64_t state_row = 0;

  // The caller's rows of inputs and of outputs, and all that state and scratch have for a row, are together no wider
  // than this.
  std::int64_t widest_row = 1;

  /// Returns the most rows of a call, that is steps times batch: with them every size in bytes is far from overflow,
  /// and more rows than these fit into no address space.
  std::int64_t most_rows(unsigned pointer_bytes) const { return most_floats(pointer_bytes) / widest_row; }

  /// Tells whether there are blocks in scratch. Where all rows are the caller's, scratch is working memory only.
  bool has_blocks() const { return timed_columns + once_columns > 0; }
};

/// Plans the memory of `list`, whose cells are `cells` in order.
ObjectMemory plan_object_memory(const runtime::StepList& list, const std::vector<const runtime::Description*>& cells);

/// Lists the program's times except T. The caller gives their numbers of steps in the argument `times`.
std::vector<std::string> other_times(const runtime::StepList& list);

}  // namespace rnnc::compiler
