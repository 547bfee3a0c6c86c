// The values of a cell get places in memory for a portable program, and a place is free again after the last node that
// reads its value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "compiler/passes/analysis.hpp"
#include "ir/cell.hpp"
#include "runtime/portable.hpp"

namespace rnnc::compiler {

/// Returns the space that holds the values of a phase.
runtime::PortableSpace space_of_phase(Phase phase);

/// Returns the floats that a vector of `size` takes: whole vectors, so that no other value lies in the last of them.
std::int64_t padded(std::int64_t size);

/// The row of a space, which grows as values need it. A place that is given back serves the next value of its size.
class PortableRowPlan {
 public:
  std::int64_t take(std::int64_t size);
  void give_back(std::int64_t offset, std::int64_t size);
  /// Returns the floats of the whole row, with a vector more so that reads past the last value are allowed; 0 if the
  /// row is empty.
  std::int64_t size() const;

 private:
  std::int64_t size_ = 0;
  std::multimap<std::int64_t, std::int64_t> free_;  // offsets by padded size
};

/// Returns for each node the last node that reads its value, also through slices and hoists; kForEver if a statement or
/// a later phase reads it.
inline constexpr std::uint32_t kForEver = ~0u;
std::vector<std::uint32_t> last_readers(const ir::Cell& cell, const std::vector<bool>& live,
                                        const std::vector<Phase>& phases);

/// Returns the node whose memory holds the value. For a slice or a hoist, this is the node that it shows.
ir::Value memory_of(const ir::Cell& cell, ir::Value value);

}  // namespace rnnc::compiler
