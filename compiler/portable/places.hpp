// Where the values of a cell lie while a portable program runs, and when their places are free again.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "compiler/passes/analysis.hpp"
#include "ir/cell.hpp"
#include "runtime/portable.hpp"

namespace rnnc::compiler {

/// What a phase's values are kept in.
runtime::PortableSpace space_of_phase(Phase phase);

/// Floats that a vector of `size` takes, so that the last of its full vectors is its own.
std::int64_t padded(std::int64_t size);

/// Rows of a space that grow as values need them. A place that is given back serves the next of its size.
class PortableRowPlan {
 public:
  std::int64_t take(std::int64_t size);
  void give_back(std::int64_t offset, std::int64_t size);
  /// Of the whole row, with room to read behind its last value; 0 where nothing was taken.
  std::int64_t size() const;

 private:
  std::int64_t size_ = 0;
  std::multimap<std::int64_t, std::int64_t> free_;  // by padded size
};

/// For each node, the last node that reads what it stands for, through slices and hoists; kept for ever where a
/// statement or a later phase does.
inline constexpr std::uint32_t kForEver = ~0u;
std::vector<std::uint32_t> last_readers(const ir::Cell& cell, const std::vector<bool>& live,
                                        const std::vector<Phase>& phases);

/// The node in whose memory the value of a slice or hoist lies.
ir::Value memory_of(const ir::Cell& cell, ir::Value value);

}  // namespace rnnc::compiler
