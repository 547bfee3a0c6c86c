// A cell becomes a simpler cell: local rules are applied until none changes a node. Each rule keeps every bit of the
// result on a CPU with fused multiply-add, with one exception: a product of a concatenation is split, and chain.cpp
// then orders its parts as canonical arithmetic asks. A function of constants is computed by the formula that runs. Its
// bits are those of fused multiply-add, also for a CPU without it.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <vector>

#include "compiler/passes/analysis.hpp"
#include "compiler/passes/copy_forward.hpp"
#include "compiler/passes/pass.hpp"
#include "runtime/evaluate.hpp"

namespace rnnc::compiler {
namespace {

using ir::Cell;
using ir::Dim;
using ir::Function;
using ir::Node;
using ir::Op;
using ir::Range;
using ir::Value;

constexpr int kMaxRounds = 1000;  // a limit, not measured: texts of people need fewer than ten

// Elements [begin, end) of a vector.
using Cut = std::pair<std::int64_t, std::int64_t>;

Cut cut_of(const Node& slice) { return {slice.ranges[0].begin.value(), slice.ranges[0].end.value()}; }

// Finds the cuts of each vector that is computed only to be cut: all that reads it is slices, and functions of which
// the same holds. Such a vector is computed cut by cut. Together the cuts have no more elements than the vector, so
// that nothing is computed twice.
std::vector<std::vector<Cut>> find_cuts(const Cell& cell) {
  constexpr std::size_t kMostCuts = 64;  // a limit, not measured: a vector of all gates has eight at the most
  const auto all = users(cell);
  std::vector<std::vector<Cut>> cuts(cell.nodes.size());
  const auto add = [&](std::uint32_t user, std::vector<Cut>& found) {
    if (user == kRoot) return false;
    const std::size_t before = found.size();
    if (cell.nodes[user].op == Op::Slice) found.push_back(cut_of(cell.nodes[user]));
    if (cell.nodes[user].op == Op::Map) found.insert(found.end(), cuts[user].begin(), cuts[user].end());
    return found.size() > before && found.size() <= kMostCuts;
  };
  for (auto i = static_cast<std::uint32_t>(cell.nodes.size()); i-- > 0;) {
    const Node& node = cell.nodes[i];
    if ((node.op != Op::Map && node.op != Op::Matvec) || node.type.rank() != 1) continue;
    std::vector<Cut> found;
    if (!std::ranges::all_of(all[i], [&](std::uint32_t user) { return add(user, found); })) continue;
    std::ranges::sort(found);
    const auto [first, last] = std::ranges::unique(found);
    found.erase(first, last);
    std::int64_t elements = 0;
    for (const auto& [begin, end] : found) elements += end - begin;
    const bool whole = found == std::vector{Cut(0, size_of(node))};
    if (elements <= size_of(node) && !whole) cuts[i] = std::move(found);
  }
  return cuts;
}

class Simplifier {
 public:
  explicit Simplifier(const Cell& from)
      : from_(from),
        cuts_(find_cuts(from)),
        pieces_(from.nodes.size()),
        replaced_(from.nodes.size()),
        only_joined_(find_only_joined(from)) {}

  Cell run() {
    const std::vector<bool> live = live_nodes(from_);
    to_ = like(from_);
    for (std::size_t i = 0; i < from_.nodes.size(); ++i) {
      if (!live[i]) continue;
      Node node = from_.nodes[i];
      only_joined_here_ = only_joined_[i];
      if (node.op == Op::Slice && !cuts_[node.operands[0].index].empty()) {
        replaced_[i] = cut_out(node.operands[0], cut_of(node));
        changed_ = true;
        continue;
      }
      for (Value& operand : node.operands) operand = replaced_[operand.index];
      replaced_[i] = rewrite(std::move(node));
    }
    copy_statements(from_, live, replaced_, to_);
    return std::move(to_);
  }

  bool changed() const { return changed_; }

 private:
  // Only the concat that something else reads is made flat: one inside of another would be copied for each of a chain.
  static std::vector<bool> find_only_joined(const Cell& cell) {
    const auto all = users(cell);
    std::vector<bool> result(cell.nodes.size(), true);
    for (std::size_t i = 0; i < all.size(); ++i)
      for (std::uint32_t user : all[i])
        if (user == kRoot || cell.nodes[user].op != Op::Concat) result[i] = false;
    return result;
  }

  // A piece on the way: its operands so far.
  struct Begun {
    Value of;
    Cut cut;
    std::vector<Value> operands = {};
  };

  // Returns the place for the piece of a node of `from_`, one of those that find_cuts has found.
  std::optional<Value>& piece(Value of, const Cut& cut) {
    const std::vector<Cut>& cuts = cuts_[of.index];
    pieces_[of.index].resize(cuts.size());
    return pieces_[of.index][static_cast<std::size_t>(std::ranges::lower_bound(cuts, cut) - cuts.begin())];
  }

  // Computes a cut of a function or a product, and before it the same cut of its operands. A chain of functions may be
  // as long as the text, so that no function here calls itself.
  Value cut_out(Value of, const Cut& cut) {
    std::vector<Begun> begun = {{of, cut}};
    while (!piece(of, cut)) {
      const Node& node = from_[begun.back().of];
      std::vector<Value>& operands = begun.back().operands;
      if (operands.size() == node.operands.size()) {
        piece(begun.back().of, cut) =
            node.op == Op::Matvec ? matvec(operands[0], operands[1]) : to_.map(node.function, std::move(operands));
        begun.pop_back();
        continue;
      }
      const Value operand = node.operands[operands.size()];
      const bool is_whole = from_[operand].type.rank() == 0 || (node.op == Op::Matvec && !operands.empty());
      if (is_whole)
        operands.push_back(replaced_[operand.index]);
      else if (cuts_[operand.index].empty())
        operands.push_back(slice_of(replaced_[operand.index], {{Dim(cut.first), Dim(cut.second)}}));
      else if (const std::optional<Value>& made = piece(operand, cut))
        operands.push_back(*made);
      else
        begun.push_back({operand, cut});
    }
    return *piece(of, cut);
  }

  Value rewrite(Node node) {
    std::optional<Value> better;
    switch (node.op) {
      case Op::Input:
      case Op::State:
      case Op::Param:
      case Op::Constant:
      case Op::Lookup:
      case Op::Reduce:
      case Op::Fill:
      case Op::Quantize:
      case Op::Rows:
      case Op::Scan:
      case Op::FinalState:
      case Op::OverTime: break;
      case Op::Map: better = map_rule(node); break;
      case Op::Slice: better = slice_rule(node); break;
      case Op::Concat: better = concat_rule(node); break;
      case Op::Matvec: better = matvec_rule(node); break;
      case Op::Project: better = project_rule(node); break;
      case Op::Hoist: better = node.operands[0]; break;  // the pass hoist decides this
    }
    if (!better) return to_.append(std::move(node));
    changed_ = true;
    return *better;
  }

  bool is_constant(Value value, float constant) const {
    return to_[value].op == Op::Constant && to_[value].constant == constant;
  }

  std::optional<Value> map_rule(const Node& node) {
    std::array<float, runtime::kMostOperands> constants{};
    bool all_constant = true;
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
      const Node& operand = to_[node.operands[i]];
      all_constant &= operand.op == Op::Constant;
      constants[i] = operand.constant;
    }
    if (all_constant) return to_.constant(runtime::evaluate(node.function, constants.data()));
    if (node.function == Function::Mul) {
      if (is_constant(node.operands[1], 1)) return node.operands[0];
      if (is_constant(node.operands[0], 1)) return node.operands[1];
    }
    if (node.function == Function::Div && is_constant(node.operands[1], 1)) return node.operands[0];
    if (node.function == Function::Neg) {
      const Node& operand = to_[node.operands[0]];
      if (operand.op == Op::Map && operand.function == Function::Neg) return operand.operands[0];
    }
    return std::nullopt;
  }

  Value slice_of(Value source, std::vector<Range> ranges) {
    return to_.append({.op = Op::Slice, .operands = {source}, .ranges = std::move(ranges)});
  }

  // Returns ranges for all dims of the operand, so that no rule depends on how many of them the text gives.
  static std::vector<Range> all_ranges(const Node& slice, const Node& operand) {
    std::vector<Range> ranges = slice.ranges;
    while (ranges.size() < operand.type.rank()) ranges.push_back({Dim(0), operand.type.dims[ranges.size()]});
    return ranges;
  }

  std::optional<Value> slice_rule(const Node& node) {
    const Value source = node.operands[0];
    const Node& operand = to_[source];  // a rule reads it before it appends to `to_`
    const std::vector<Range> ranges = all_ranges(node, operand);
    bool whole = true;
    for (std::size_t i = 0; i < ranges.size(); ++i)
      whole &= ranges[i].begin == Dim(0) && ranges[i].end == operand.type.dims[i];
    if (whole) return source;
    switch (operand.op) {
      case Op::Slice: return slice_of_slice(operand, ranges);
      case Op::Concat: return slice_of_concat(source, ranges);
      case Op::Map:
      case Op::Matvec:
      case Op::Input:
      case Op::State:
      case Op::Param:
      case Op::Constant:
      case Op::Project:
      case Op::Lookup:
      case Op::Reduce:
      case Op::Hoist:
      case Op::Fill:
      case Op::Quantize:
      case Op::Rows:
      case Op::Scan:
      case Op::FinalState:
      case Op::OverTime: return std::nullopt;
    }
    return std::nullopt;
  }

  Value slice_of_slice(const Node& operand, std::vector<Range> ranges) {
    for (std::size_t i = 0; i < operand.ranges.size(); ++i) {
      ranges[i].begin = ranges[i].begin + operand.ranges[i].begin;
      ranges[i].end = ranges[i].end + operand.ranges[i].begin;
    }
    return slice_of(operand.operands[0], std::move(ranges));
  }

  // Returns the ends of the parts of a concat. Many slices of one concat ask for them.
  const std::vector<std::int64_t>& ends_of(Value concat) {
    const auto [entry, is_new] = ends_.try_emplace(concat.index);
    std::int64_t end = 0;
    if (is_new)
      for (const Value part : to_[concat].operands) entry->second.push_back(end += to_[part].type.dims[0].value());
    return entry->second;
  }

  Value slice_of_concat(Value concat, const std::vector<Range>& ranges) {
    const std::int64_t begin = ranges[0].begin.value(), end = ranges[0].end.value();
    const std::vector<std::int64_t>& ends = ends_of(concat);
    auto i = static_cast<std::size_t>(std::ranges::upper_bound(ends, begin) - ends.begin());
    std::vector<Value> parts;
    for (std::int64_t first = i == 0 ? 0 : ends[i - 1]; first < end; first = ends[i++]) {
      std::vector<Range> cut = ranges;
      cut[0] = {Dim(std::max(begin, first) - first), Dim(std::min(end, ends[i]) - first)};
      parts.push_back(slice_of(to_[concat].operands[i], std::move(cut)));
    }
    return to_.concat(std::move(parts));
  }

  Value matvec(Value matrix, Value vector) { return to_.append({.op = Op::Matvec, .operands = {matrix, vector}}); }

  std::optional<Value> concat_rule(const Node& node) {
    if (node.operands.size() == 1) return node.operands[0];
    if (only_joined_here_) return std::nullopt;
    std::vector<Value> flat, parts(node.operands.rbegin(), node.operands.rend());
    while (!parts.empty()) {
      const Value part = parts.back();
      const std::vector<Value>& inner = to_[part].operands;
      parts.pop_back();
      if (to_[part].op == Op::Concat)
        parts.insert(parts.end(), inner.rbegin(), inner.rend());
      else
        flat.push_back(part);
    }
    if (flat.size() == node.operands.size()) return std::nullopt;
    return to_.concat(std::move(flat));
  }

  // W @ concat(a, b) becomes a sum of products, so that a product that needs no state can be hoisted.
  std::optional<Value> matvec_rule(const Node& node) {
    const Node vector = to_[node.operands[1]];
    if (vector.op != Op::Concat) return std::nullopt;
    const Dim rows = to_[node.operands[0]].type.dims[0];
    Dim column = 0;
    std::optional<Value> sum;
    for (Value part : vector.operands) {
      const Dim end = column + to_[part].type.dims[0];
      const Value product = matvec(slice_of(node.operands[0], {{Dim(0), rows}, {column, end}}), part);
      sum = sum ? to_.map(Function::Add, {*sum, product}) : product;
      column = end;
    }
    return sum;
  }

  std::optional<Value> project_rule(const Node& node) {
    std::vector<Value> parts;
    for (std::size_t i = 1; i < node.operands.size(); i += 2) {
      const Value product = matvec(node.operands[i], node.operands[0]);
      const bool starts_at_zero = is_constant(node.operands[i + 1], 0);
      parts.push_back(starts_at_zero ? product : to_.map(Function::Add, {product, node.operands[i + 1]}));
    }
    return to_.concat(std::move(parts));
  }

  const Cell& from_;
  Cell to_;
  std::vector<std::vector<Cut>> cuts_;
  std::vector<std::vector<std::optional<Value>>> pieces_;  // of `to_`, one for each cut
  std::vector<Value> replaced_;                            // for each node of `from_`, the value of `to_`
  std::vector<bool> only_joined_;
  bool only_joined_here_ = false;                            // of the node at hand
  std::map<std::uint32_t, std::vector<std::int64_t>> ends_;  // of the parts of concats of `to_`
  bool changed_ = false;
};

}  // namespace

Cell simplify(const Cell& cell) {
  Cell current = cell;
  for (int round = 0; round < kMaxRounds; ++round) {
    Simplifier simplifier(current);
    Cell next = simplifier.run();
    const bool changed = simplifier.changed();
    current = std::move(next);
    if (!changed) break;
    current = cse(current);
  }
  return current;
}

}  // namespace rnnc::compiler
