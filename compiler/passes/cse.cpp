// Equal expressions of a cell become one node. Nodes are compared in order: their operands are already shared, so equal
// nodes have equal fields.
#include <bit>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "compiler/passes/copy_forward.hpp"
#include "compiler/passes/pass.hpp"

namespace rnnc::compiler {
namespace {

using NodeKey = std::tuple<ir::Op, ir::Function, ir::Reduction, ir::RowOp, std::uint32_t, std::vector<ir::Value>,
                           std::vector<std::int64_t>, std::string>;

NodeKey key_of(const ir::Node& node) {
  std::vector<std::int64_t> ranges;
  for (const ir::Range& range : node.ranges) {
    ranges.push_back(range.begin.value());
    ranges.push_back(range.end.value());
  }
  return {node.op,       node.function,     node.reduction, node.row_op, std::bit_cast<std::uint32_t>(node.constant),
          node.operands, std::move(ranges), node.name};
}

}  // namespace

ir::Cell cse(const ir::Cell& cell) {
  std::map<NodeKey, ir::Value> seen;
  return copy_forward(cell, [&seen](ir::Cell& to, ir::Node node) {
    const auto [entry, inserted] = seen.try_emplace(key_of(node));
    if (inserted) entry->second = to.append(std::move(node));
    return entry->second;
  });
}

}  // namespace rnnc::compiler
