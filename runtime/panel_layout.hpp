// The layout of packed panels: where the weights of a unit lie, and what lies behind the weights of integers. It is
// drawn in compiler/schedule/plan.hpp.
#pragma once

#include <algorithm>
#include <cstdint>

#include "runtime/number_format.hpp"

namespace rnnc::runtime {

/// The table of a sparse panel has at these floats what code reads: the distances of the entries' weights and of their
/// groups from the begin of the panel (i64, in floats), and the number of each vector's first entry (i32).
inline constexpr std::int64_t kEntryWeights = 0, kEntryGroups = 2, kFirstEntries = kCacheLineFloats;
/// A vector has a multiple of so many entries, so that a loop over them is unrolled without a rest.
inline constexpr std::int64_t kEntriesTogether = 4;

/// The numbers that the layout of a panel depends on; their meaning is that of PanelPacking's fields.
struct PanelShape {
  std::int64_t units = 0, columns = 0;
  int gates = 0, lanes = 0;
  int together = 1;
  int tail_gates = 1;
  NumberFormat format = kRowFormat;
  bool shifted = false;  // elements of the vector are kept as unsigned bytes, 128 more than their digits
  bool sparse = false;   // weights are kept as entries, which runtime/sparse_panel.hpp draws

  /// Returns the vectors of a block; those of the last block may be shared by gates.
  std::int64_t vectors(bool in_tail) const { return in_tail ? (gates + tail_gates - 1) / tail_gates : gates; }

  /// Returns the lanes of all vectors of one column.
  std::int64_t lanes_of_column() const {
    return (units / lanes * gates + (units % lanes > 0 ? vectors(true) : 0)) * lanes;
  }

  /// Returns the columns that the panel has place for: whole groups where weights are integers.
  std::int64_t stored_columns() const {
    return is_integer(format) ? groups_of_columns(columns) * kColumnsOfGroup : columns;
  }

  /// Returns the vectors of one column.
  std::int64_t vectors_of_column() const { return lanes_of_column() / lanes; }

  /// The entries of a sparse panel lie elsewhere; the panel has the table of them.
  std::int64_t floats_of_weights() const {
    if (sparse) return kFirstEntries + vectors_of_column() + 1;
    return floats_for(format, lanes_of_column() * stored_columns());
  }

  /// Behind the weights of integers lie, from the next cache line on, the start values of the sums, which take back
  /// what shifted elements add, for each vector of a column those of the high digits and then those of the low ones;
  /// and then the scales of the rows. These return offsets in floats from the panel's begin, and the panel's size.
  std::int64_t starts() const { return whole_lines(floats_of_weights()); }
  std::int64_t scales() const { return starts() + (shifted ? lanes_of_column() * weight_digits(format) : 0); }
  std::int64_t floats() const { return is_integer(format) ? scales() + lanes_of_column() : floats_of_weights(); }
};

/// The place of a unit of a gate. Blocks that lie together have a column's lanes side by side.
struct UnitPlace {
  std::int64_t before = 0;    // lanes of a column that belong to blocks before those that lie together
  std::int64_t position = 0;  // the lane among those of the blocks that lie together
  std::int64_t together = 0;  // the lanes of those blocks
};

inline UnitPlace place_of(const PanelShape& panel, int gate, std::int64_t unit) {
  const std::int64_t full = panel.units / panel.lanes, left = panel.units % panel.lanes;
  const std::int64_t block = unit / panel.lanes, lane = unit % panel.lanes;
  const std::int64_t block_size = std::int64_t{panel.gates} * panel.lanes;
  if (panel.tail_gates > 1 && block == full)
    return {block * block_size, gate / panel.tail_gates * panel.lanes + gate % panel.tail_gates * left + lane,
            panel.vectors(true) * panel.lanes};
  const std::int64_t alike = panel.tail_gates > 1 || left == 0 ? full : full + 1;
  const std::int64_t first = block / panel.together * panel.together;
  return {first * block_size, (block - first) * block_size + gate * panel.lanes + lane,
          std::min<std::int64_t>(panel.together, alike - first) * block_size};
}

}  // namespace rnnc::runtime
