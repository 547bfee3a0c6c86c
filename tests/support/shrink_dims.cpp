#include "tests/support/shrink_dims.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "ir/scan.hpp"
#include "ir/verify.hpp"

namespace rnnc::test {
namespace {

using ir::Op;

// Leading elements of [rows, columns].
std::vector<float> leading(const std::vector<float>& values, const std::vector<std::int64_t>& before,
                           const std::vector<std::int64_t>& after) {
  if (after.empty()) return values;
  const std::int64_t columns = before.size() == 2 ? before[1] : 1, kept = after.size() == 2 ? after[1] : 1;
  std::vector<float> result;
  for (std::int64_t row = 0; row < after[0]; ++row)
    result.insert(result.end(), values.begin() + row * columns, values.begin() + row * columns + kept);
  return result;
}

std::vector<std::int64_t> numbers(const ir::Type& type) {
  std::vector<std::int64_t> result;
  for (const ir::Dim& dim : type.dims) result.push_back(dim.value());
  return result;
}

}  // namespace

struct Sizes::Solution {
  std::vector<std::int64_t> values;
  std::vector<bool> pinned;  // this shrink has set it
  std::vector<Cut> cuts;

  bool set(std::size_t variable, std::int64_t value, const std::vector<bool>& frozen) {
    if (values[variable] == value) return true;
    if (pinned[variable] || frozen[variable] || value < 1) return false;
    values[variable] = value;
    pinned[variable] = true;
    return true;
  }
};

std::size_t Sizes::add(std::int64_t value) {
  values_.push_back(value);
  parents_.push_back(parents_.size());
  frozen_.push_back(false);
  return parents_.size() - 1;
}

std::size_t Sizes::find(std::size_t variable) const {
  while (parents_[variable] != variable) variable = parents_[variable];
  return variable;
}

void Sizes::unite(std::size_t a, std::size_t b) {
  a = find(a), b = find(b);
  if (a == b) return;
  frozen_[a] = frozen_[a] || frozen_[b];
  parents_[b] = a;
}

Sizes::Sizes(const Subject& subject) : subject_(subject), inner_(subject.graph.nodes.size()) {
  add_nodes(subject.graph, outer_.slots, outer_.cuts);
  // Sizes of rows follow from each other in ways of their own, so that a graph with rows keeps its sizes.
  const auto is_of_rows = [](const ir::Node& node) {
    return node.op == Op::Rows || node.op == Op::Fill || node.op == Op::Quantize || node.type.is_rows;
  };
  const auto has_rows = [&](const ir::Node& node) {
    return is_of_rows(node) || (node.op == Op::Scan && std::ranges::any_of(node.scan->cell->nodes, is_of_rows));
  };
  const bool keeps_sizes = std::ranges::any_of(subject.graph.nodes, has_rows);
  for (std::size_t i = 0; i < values_.size() && !keeps_sizes; ++i)
    if (find(i) == i && !frozen_[i] && values_[i] > 1) roots_.push_back(i);
  for (Sum& sum : sums_) {
    sum.total = find(sum.total);
    for (std::size_t& part : sum.parts) part = find(part);
  }
  for (Cut& cut : cuts_) cut.source = find(cut.source), cut.result = find(cut.result);
}

void Sizes::add_nodes(const ir::Graph& graph, std::vector<std::vector<std::size_t>>& slots,
                      std::vector<std::vector<std::size_t>>& cuts) {
  slots.resize(graph.nodes.size());
  cuts.resize(graph.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const ir::Dim& dim : graph.nodes[i].type.dims) slots[i].push_back(add(dim.value()));
    relate(graph, i, slots, cuts);
  }
  for (const ir::Statement& statement : graph.statements) {
    if (statement.kind != ir::Statement::Kind::Next) continue;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i)
      if (graph.nodes[i].op == Op::State && graph.nodes[i].name == statement.name && !slots[i].empty())
        unite(slots[i][0], slots[statement.value.index][0]);
  }
}

void Sizes::relate(const ir::Graph& graph, std::size_t i, std::vector<std::vector<std::size_t>>& slots,
                   std::vector<std::vector<std::size_t>>& cuts) {
  const ir::Node& node = graph.nodes[i];
  const auto of = [&](std::size_t k) -> std::vector<std::size_t>& { return slots[node.operands[k].index]; };
  switch (node.op) {
    case Op::Input:
    case Op::State:
    case Op::Param:
    case Op::Constant: return;
    case Op::Fill:
    case Op::Quantize:
    case Op::Rows: return;  // of rows: see the constructor
    case Op::Slice:
      for (std::size_t d = 0; d < slots[i].size(); ++d) {
        if (d >= node.ranges.size()) {
          unite(slots[i][d], of(0)[d]);
          continue;
        }
        cuts[i].push_back(cuts_.size());
        cuts_.push_back({of(0)[d], slots[i][d], node.ranges[d].begin.value(), node.ranges[d].end.value()});
      }
      return;
    case Op::Concat: {
      Sum sum{slots[i][0], {}};
      for (std::size_t k = 0; k < node.operands.size(); ++k) {
        sum.parts.push_back(of(k)[0]);
        if (slots[i].size() == 2) unite(slots[i][1], of(k)[1]);
      }
      sums_.push_back(std::move(sum));
      return;
    }
    case Op::Matvec:
      unite(slots[i][0], of(0)[0]);
      unite(of(0)[1], of(1)[0]);
      return;
    case Op::Lookup: unite(slots[i][0], of(0)[1]); return;
    case Op::Project: {
      Sum sum{slots[i][0], {}};
      for (std::size_t k = 1; k < node.operands.size(); k += 2) {
        sum.parts.push_back(of(k)[0]);
        unite(of(k)[1], of(0)[0]);
        if (!of(k + 1).empty()) unite(of(k)[0], of(k + 1)[0]);
      }
      sums_.push_back(std::move(sum));
      return;
    }
    case Op::Map:
    case Op::Reduce:
    case Op::Hoist:
    case Op::OverTime: {
      // Vectors among operands and result are of one length; the sizes of a reduction to a scalar stay its operand's
      // own.
      std::size_t any = slots[i].empty() ? values_.size() : slots[i][0];
      for (std::size_t k = 0; k < node.operands.size(); ++k) {
        if (of(k).empty()) continue;
        if (any == values_.size()) any = of(k)[0];
        unite(any, of(k)[0]);
      }
      return;
    }
    case Op::Scan: return relate_scan(graph, i, slots);
    case Op::FinalState: {
      const std::size_t scan = node.operands[0].index;
      const ir::Cell& cell = *graph.nodes[scan].scan->cell;
      const std::string name = node.name.substr(node.name.find('.') == std::string::npos ? 0 : node.name.find('.') + 1);
      for (std::size_t d = 0; d < slots[i].size(); ++d) frozen_[find(slots[i][d])] = !cell.dims.empty();
      for (std::size_t k = 0; cell.dims.empty() && k < cell.nodes.size(); ++k)
        if (cell.nodes[k].op == Op::State && cell.nodes[k].name == name && !slots[i].empty())
          unite(slots[i][0], inner_[scan].slots[k][0]);
      return;
    }
  }
}

void Sizes::relate_scan(const ir::Graph& graph, std::size_t i, std::vector<std::vector<std::size_t>>& slots) {
  const ir::Node& node = graph.nodes[i];
  const ir::Scan& scan = *node.scan;
  const ir::Cell& cell = *scan.cell;
  const auto each = [&](auto visit) {
    std::size_t argument = 0;
    for (std::size_t k = 0; k < cell.nodes.size(); ++k)
      if (cell.nodes[k].op == Op::Input) visit(k, node.operands[argument++].index);
    for (std::size_t j = 0; j < scan.initial.size(); ++j) {
      const std::string& path = scan.initial[j];
      const std::string name = path.substr(path.find('.') == std::string::npos ? 0 : path.find('.') + 1);
      for (std::size_t k = 0; k < cell.nodes.size(); ++k)
        if (cell.nodes[k].op == Op::State && cell.nodes[k].name == name) visit(k, node.operands[argument + j].index);
    }
  };
  if (!cell.dims.empty()) {  // its sizes follow from each other in ways of its own
    for (const std::size_t slot : slots[i]) frozen_[find(slot)] = true;
    each([&](std::size_t, std::size_t operand) {
      for (const std::size_t slot : slots[operand]) frozen_[find(slot)] = true;
    });
    return;
  }
  add_nodes(cell, inner_[i].slots, inner_[i].cuts);
  each([&](std::size_t k, std::size_t operand) {
    if (!slots[operand].empty()) unite(slots[operand][0], inner_[i].slots[k][0]);
  });
  if (slots[i].empty()) return;
  const std::size_t output = inner_[i].slots[cell.output().index][0];
  if (scan.direction == Direction::Bidirectional && scan.merge == Merge::Concat)
    sums_.push_back({slots[i][0], {output, output}});
  else
    unite(slots[i][0], output);
}

namespace {

// The graph with the types and ranges of a solution; nothing where some part does not fit.
std::optional<ir::Graph> retyped(const ir::Graph& graph, const auto& size_of, const auto& range_of,
                                 const auto& scan_of) {
  ir::Graph result;
  result.kind = graph.kind;
  result.name = graph.name;
  result.statements = graph.statements;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    ir::Node node = graph.nodes[i];
    for (std::size_t d = 0; d < node.type.dims.size(); ++d) node.type.dims[d] = size_of(i, d);
    for (std::size_t d = 0; d < node.ranges.size(); ++d) node.ranges[d] = range_of(i, d);
    if (node.op == Op::Scan) node.scan = scan_of(i);
    if (node.op == Op::Scan && !node.scan) return std::nullopt;
    Result<ir::Type> type = ir::infer_type(result, node);
    if (!type) return std::nullopt;
    node.type = std::move(*type);
    result.nodes.push_back(std::move(node));
  }
  if (!ir::verify(result)) return std::nullopt;
  return result;
}

}  // namespace

std::optional<Subject> Sizes::with(std::size_t i, std::int64_t size) const {
  Solution solution{values_, std::vector<bool>(values_.size()), cuts_};
  if (!solution.set(roots_[i], size, frozen_)) return std::nullopt;
  const auto value = [&](std::size_t variable) { return solution.values[find(variable)]; };
  const auto settle_sum = [&](const Sum& sum) {
    std::int64_t excess = -value(sum.total);
    for (const std::size_t part : sum.parts) excess += value(part);
    if (excess == 0) return true;
    if (!solution.pinned[sum.total]) return solution.set(sum.total, value(sum.total) + excess, frozen_);
    for (const std::size_t part : sum.parts) {
      const auto times = std::count(sum.parts.begin(), sum.parts.end(), part);
      if (excess <= 0 || solution.pinned[part] || value(part) == 1) continue;
      const std::int64_t less = std::min(value(part) - 1, (excess + times - 1) / times);
      if (solution.set(part, value(part) - less, frozen_)) excess -= less * times;
    }
    return excess == 0;
  };
  const auto settle_cut = [&](Cut& cut) {
    if (value(cut.result) > value(cut.source) && !solution.set(cut.result, value(cut.source), frozen_)) return false;
    cut.begin = std::min(cut.begin, value(cut.source) - value(cut.result));
    cut.end = cut.begin + value(cut.result);
    return true;
  };
  // Each round pins at least one more size, or nothing changes any more.
  for (bool changed = true; changed;) {
    const auto before = solution.values;
    for (const Sum& sum : sums_)
      if (!settle_sum(sum)) return std::nullopt;
    for (Cut& cut : solution.cuts)
      if (!settle_cut(cut)) return std::nullopt;
    changed = before != solution.values;
  }
  const auto placed = [&](const Places& places) {
    return std::pair(
        [&, slots = &places.slots](std::size_t node, std::size_t d) { return ir::Dim(value((*slots)[node][d])); },
        [&, cuts = &places.cuts](std::size_t node, std::size_t d) {
          const Cut& cut = solution.cuts[(*cuts)[node][d]];
          return ir::Range{cut.begin, cut.end};
        });
  };
  const auto scan_of = [&](std::size_t node) -> std::shared_ptr<const ir::Scan> {
    const auto& scan = subject_.graph.nodes[node].scan;
    if (!scan->cell->dims.empty()) return scan;
    const auto [sizes, ranges] = placed(inner_[node]);
    auto cell = retyped(*scan->cell, sizes, ranges, [](std::size_t) { return std::shared_ptr<const ir::Scan>(); });
    if (!cell) return nullptr;
    auto changed = std::make_shared<ir::Scan>(*scan);
    changed->cell = std::make_shared<const ir::Cell>(std::move(*cell));
    return changed;
  };
  const auto [sizes, ranges] = placed(outer_);
  auto graph = retyped(subject_.graph, sizes, ranges, scan_of);
  if (!graph) return std::nullopt;
  const auto before = ir::weights_of(subject_.graph), after = ir::weights_of(*graph);
  Weights weights;
  for (std::size_t k = 0; k < after.size(); ++k) {
    const auto old_shape = numbers(before[k].type), new_shape = numbers(after[k].type);
    for (std::size_t d = 0; d < new_shape.size(); ++d)
      if (new_shape[d] > old_shape[d]) return std::nullopt;
    weights[after[k].name] = leading(subject_.weights.at(after[k].name), old_shape, new_shape);
  }
  return Subject{std::move(*graph), std::move(weights)};
}

}  // namespace rnnc::test
