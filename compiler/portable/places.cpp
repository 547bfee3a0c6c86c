#include "compiler/portable/places.hpp"

#include <algorithm>

namespace rnnc::compiler {

using ir::Op;
using ir::Value;
using runtime::kPortableLanes;
using runtime::PortableSpace;

PortableSpace space_of_phase(Phase phase) {
  switch (phase) {
    case Phase::Once: return PortableSpace::Weights;
    case Phase::Sequence: return PortableSpace::Sequence;
    case Phase::Step: return PortableSpace::Step;
  }
  return PortableSpace::Step;
}

std::int64_t padded(std::int64_t size) { return (size + kPortableLanes - 1) / kPortableLanes * kPortableLanes; }

std::int64_t PortableRowPlan::take(std::int64_t size) {
  if (const auto found = free_.find(padded(size)); found != free_.end()) {
    const std::int64_t offset = found->second;
    free_.erase(found);
    return offset;
  }
  const std::int64_t offset = size_;
  size_ += padded(size);
  return offset;
}

void PortableRowPlan::give_back(std::int64_t offset, std::int64_t size) { free_.emplace(padded(size), offset); }

std::int64_t PortableRowPlan::size() const { return size_ == 0 ? 0 : size_ + kPortableLanes; }

Value memory_of(const ir::Cell& cell, Value value) {
  while (cell[value].op == Op::Slice || cell[value].op == Op::Hoist) value = cell[value].operands[0];
  return value;
}

std::vector<std::uint32_t> last_readers(const ir::Cell& cell, const std::vector<bool>& live,
                                        const std::vector<Phase>& phases) {
  std::vector<std::uint32_t> last(cell.nodes.size());
  for (std::uint32_t i = 0; i < cell.nodes.size(); ++i) {
    if (!live[i]) continue;
    last[i] = std::max(last[i], i);
    for (const Value operand : cell.nodes[i].operands) {
      const std::uint32_t owner = memory_of(cell, operand).index;
      const bool later = phases[i] != phases[owner] || cell.nodes[i].op == Op::Hoist;
      last[owner] = later ? kForEver : std::max(last[owner], i);
    }
  }
  for (const ir::Statement& statement : cell.statements)
    if (ir::needs_value(statement)) last[memory_of(cell, statement.value).index] = kForEver;
  return last;
}

}  // namespace rnnc::compiler
