// The choice is a minimum cut of a flow network: floats flow from the values that are not computed twice to those that
// are needed, through every value that could be saved instead, whose capacity is its number of floats. Ford & Fulkerson
// 1956, with the shortest augmenting paths of Edmonds & Karp 1972.
#include "compiler/gradient/saved.hpp"

#include <algorithm>
#include <deque>
#include <limits>

namespace rnnc::compiler {
namespace {

using ir::Node;
using ir::Op;
using ir::Value;

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max() / 4;

class Flow {
 public:
  explicit Flow(std::size_t vertices) : edges_of_(vertices) {}

  void add(std::size_t from, std::size_t to, std::int64_t capacity) {
    edges_of_[from].push_back(edges_.size());
    edges_.push_back({to, capacity});
    edges_of_[to].push_back(edges_.size());
    edges_.push_back({from, 0});
  }

  // Sends as much as possible.
  void send(std::size_t source, std::size_t sink) {
    for (;;) {
      std::vector<std::size_t> came_by(edges_of_.size(), edges_.size());
      std::deque<std::size_t> open = {source};
      while (!open.empty() && came_by[sink] == edges_.size()) {
        const std::size_t vertex = open.front();
        open.pop_front();
        for (const std::size_t edge : edges_of_[vertex]) {
          const std::size_t to = edges_[edge].to;
          if (edges_[edge].capacity == 0 || to == source || came_by[to] != edges_.size()) continue;
          came_by[to] = edge;
          open.push_back(to);
        }
      }
      if (came_by[sink] == edges_.size()) return;
      std::int64_t amount = kNoLimit;
      const auto along = [&](auto visit) {
        for (std::size_t v = sink; v != source; v = edges_[came_by[v] ^ 1].to) visit(came_by[v]);
      };
      along([&](std::size_t edge) { amount = std::min(amount, edges_[edge].capacity); });
      along([&](std::size_t edge) {
        edges_[edge].capacity -= amount;
        edges_[edge ^ 1].capacity += amount;
      });
    }
  }

  // Marks the vertices from which more could be sent to the sink.
  std::vector<bool> reach(std::size_t sink) const {
    std::vector<bool> reaches(edges_of_.size());
    std::vector<std::size_t> open = {sink};
    reaches[sink] = true;
    while (!open.empty()) {
      const std::size_t vertex = open.back();
      open.pop_back();
      for (const std::size_t edge : edges_of_[vertex]) {
        const std::size_t from = edges_[edge].to;
        if (edges_[edge ^ 1].capacity == 0 || reaches[from]) continue;
        reaches[from] = true;
        open.push_back(from);
      }
    }
    return reaches;
  }

 private:
  struct Edge {
    std::size_t to = 0;
    std::int64_t capacity = 0;  // edge i ^ 1 is its reverse
  };

  std::vector<Edge> edges_;
  std::vector<std::vector<std::size_t>> edges_of_;
};

// How a value comes to be, as far as it matters for computing it again.
enum class Origin {
  Moved,    // its elements are there already, or elsewhere
  Mapped,   // element by element: it may be computed again
  Summed,   // a product, a reduction or a state: it is computed once
  Maximum,  // a reduction whose derivative looks for the elements that are equal to it
};

Origin origin_of(const Node& node) {
  switch (node.op) {
    case Op::Input:
    case Op::Param:
    case Op::Constant:
    case Op::Slice:
    case Op::Concat:
    case Op::Hoist:
    case Op::Fill: return Origin::Moved;
    case Op::Map:
    case Op::Quantize: return Origin::Mapped;
    case Op::State:
    case Op::Matvec:
    case Op::Project:
    case Op::Lookup:
    case Op::Scan:
    case Op::FinalState: return Origin::Summed;
    case Op::Reduce: return node.reduction == ir::Reduction::Max ? Origin::Maximum : Origin::Summed;
    case Op::OverTime: return node.over_time == ir::OverTime::Max ? Origin::Maximum : Origin::Summed;
    case Op::Rows: break;
  }
  switch (node.row_op) {
    case ir::RowOp::Split:
    case ir::RowOp::Flatten:
    case ir::RowOp::Windows:
    case ir::RowOp::Pad:
    case ir::RowOp::Reflect:
    case ir::RowOp::Beside: return Origin::Moved;
    case ir::RowOp::Sum:
    case ir::RowOp::Mean: return Origin::Summed;
    case ir::RowOp::Max: return Origin::Maximum;
  }
  return Origin::Summed;
}

// Marks the values that the backward pass must not compute again. Where a maximum is taken, these are the elements
// too, wherever they were moved from: among other operations they might be rounded otherwise, so that none would be
// equal to the maximum.
std::vector<bool> computed_once(const ir::Graph& graph) {
  std::vector<bool> once(graph.nodes.size()), compared(graph.nodes.size());
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    const Origin origin = origin_of(node);
    if (origin == Origin::Maximum || (compared[i] && origin == Origin::Moved))
      for (const Value operand : node.operands) compared[operand.index] = true;
    once[i] = origin == Origin::Summed || origin == Origin::Maximum || (compared[i] && origin == Origin::Mapped);
  }
  return once;
}

}  // namespace

std::vector<Value> choose_saved(const ir::Graph& graph, const std::vector<bool>& is_forward,
                                const std::vector<bool>& needed) {
  const std::size_t count = graph.nodes.size(), source = 2 * count, sink = source + 1;
  Flow flow(2 * count + 2);
  std::vector<bool> is_free(count);  // what is there anyway
  const std::vector<bool> once = computed_once(graph);
  for (std::size_t i = 0; i < count; ++i) {
    const Node& node = graph.nodes[i];
    const bool has_past = node.op == Op::State || node.op == Op::Scan;
    is_free[i] = node.op == Op::Input || node.op == Op::Param ||
                 (!has_past && std::ranges::all_of(node.operands, [&](Value operand) {
                   return is_free[operand.index] && graph[operand].op != Op::Input;
                 }));
    if (!is_forward[i] || is_free[i]) continue;
    flow.add(2 * i, 2 * i + 1, node.op == Op::Scan ? 0 : elements(node.type));
    if (once[i]) {
      flow.add(source, 2 * i, kNoLimit);
    } else {
      for (const Value operand : node.operands)
        if (!is_free[operand.index]) flow.add(2 * operand.index + 1, 2 * i, kNoLimit);
    }
    if (needed[i]) flow.add(2 * i + 1, sink, kNoLimit);
  }
  flow.send(source, sink);
  const std::vector<bool> reaches = flow.reach(sink);
  std::vector<Value> saved;
  for (std::size_t i = 0; i < count; ++i)
    if (is_forward[i] && !is_free[i] && !reaches[2 * i] && reaches[2 * i + 1])
      saved.push_back({static_cast<std::uint32_t>(i)});
  return saved;
}

}  // namespace rnnc::compiler
