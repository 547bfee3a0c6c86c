#include "compiler/passes/windows.hpp"

#include <algorithm>

namespace rnnc::compiler {

// Values may be joined many times, so the walk does not recurse.
std::vector<MatrixWindow> windows_of(const ir::Graph& graph, ir::Value whole) {
  const auto dim = [&](ir::Value value, std::size_t i) {
    const ir::Type& type = graph[value].type;
    return i < type.rank() ? type.dims[i].value() : std::int64_t{1};
  };
  std::vector<MatrixWindow> parts, open = {{whole, 0, dim(whole, 0), 0, dim(whole, 1)}};
  while (!open.empty()) {
    MatrixWindow window = open.back();
    open.pop_back();
    const ir::Node& node = graph[window.matrix];
    if (node.op == ir::Op::Slice) {
      window.matrix = node.operands[0];
      window.row += node.ranges[0].begin.value();
      if (node.ranges.size() > 1) window.column += node.ranges[1].begin.value();
      open.push_back(window);
    } else if (node.op == ir::Op::Concat) {
      std::int64_t first = dim(window.matrix, 0);
      for (std::size_t i = node.operands.size(); i-- > 0;) {  // the stack opens the first operand first
        const std::int64_t end = first;
        first -= dim(node.operands[i], 0);
        const std::int64_t from = std::max(first, window.row), to = std::min(end, window.row + window.rows);
        if (from < to) open.push_back({node.operands[i], from - first, to - from, window.column, window.columns});
      }
    } else {
      parts.push_back(window);
    }
  }
  return parts;
}

}  // namespace rnnc::compiler
