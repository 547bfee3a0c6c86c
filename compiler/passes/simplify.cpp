// A cell becomes a simpler cell: local rules are applied until none changes a node. Each rule keeps every bit of the
// result on a CPU with fused multiply-add, with one exception: a product of a concatenation is split, and chain.cpp
// then orders its parts as canonical arithmetic asks. A function of constants is computed by the formula that runs. Its
// bits are those of fused multiply-add, also for a CPU without it.
#include <array>
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

constexpr int kMaxRounds = 1000;  // a limit, not measured: each round moves a slice by a node or more

class Simplifier {
 public:
  explicit Simplifier(const Cell& from) : from_(from), only_sliced_(find_only_sliced(from)) {}

  Cell run() {
    const std::vector<bool> live = live_nodes(from_);
    std::vector<Value> replaced(from_.nodes.size());
    to_ = like(from_);
    for (std::size_t i = 0; i < from_.nodes.size(); ++i) {
      if (!live[i]) continue;
      Node node = from_.nodes[i];
      may_move_ = node.op == Op::Slice && only_sliced_[node.operands[0].index];
      for (Value& operand : node.operands) operand = replaced[operand.index];
      replaced[i] = rewrite(std::move(node));
    }
    copy_statements(from_, live, replaced, to_);
    return std::move(to_);
  }

  bool changed() const { return changed_; }

 private:
  static std::vector<bool> find_only_sliced(const Cell& cell) {
    const auto all = users(cell);
    std::vector<bool> result(cell.nodes.size(), true);
    for (std::size_t i = 0; i < all.size(); ++i)
      for (std::uint32_t user : all[i])
        if (user == kRoot || cell.nodes[user].op != Op::Slice) result[i] = false;
    return result;
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
    const Node operand = to_[source];
    const std::vector<Range> ranges = all_ranges(node, operand);
    bool whole = true;
    for (std::size_t i = 0; i < ranges.size(); ++i)
      whole &= ranges[i].begin == Dim(0) && ranges[i].end == operand.type.dims[i];
    if (whole) return source;
    switch (operand.op) {
      case Op::Slice: return slice_of_slice(operand, ranges);
      case Op::Concat: return slice_of_concat(operand, ranges);
      case Op::Map: return may_move_ ? std::optional(slice_of_map(operand, ranges[0])) : std::nullopt;
      case Op::Matvec: return may_move_ ? std::optional(slice_of_product(operand, ranges[0])) : std::nullopt;
      case Op::Input:
      case Op::State:
      case Op::Param:
      case Op::Constant:
      case Op::Project:
      case Op::Lookup:
      case Op::Reduce:
      case Op::Hoist:
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

  Value slice_of_concat(const Node& operand, const std::vector<Range>& ranges) {
    const std::int64_t begin = ranges[0].begin.value(), end = ranges[0].end.value();
    std::vector<Value> parts;
    std::int64_t first = 0;
    for (Value part : operand.operands) {
      const std::int64_t last = first + to_[part].type.dims[0].value();
      if (first < end && begin < last) {
        std::vector<Range> cut = ranges;
        cut[0] = {Dim(std::max(begin, first) - first), Dim(std::min(end, last) - first)};
        parts.push_back(slice_of(part, std::move(cut)));
      }
      first = last;
    }
    return to_.concat(std::move(parts));
  }

  Value slice_of_map(const Node& operand, const Range& range) {
    std::vector<Value> operands = operand.operands;
    for (Value& value : operands)
      if (to_[value].type.rank() == 1) value = slice_of(value, {range});
    return to_.map(operand.function, std::move(operands));
  }

  Value slice_of_product(const Node& product, const Range& rows) {
    return matvec(slice_of(product.operands[0], {rows}), product.operands[1]);
  }

  Value matvec(Value matrix, Value vector) { return to_.append({.op = Op::Matvec, .operands = {matrix, vector}}); }

  std::optional<Value> concat_rule(const Node& node) {
    if (node.operands.size() == 1) return node.operands[0];
    std::vector<Value> flat;
    for (Value part : node.operands) {
      if (to_[part].op == Op::Concat)
        flat.insert(flat.end(), to_[part].operands.begin(), to_[part].operands.end());
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
  std::vector<bool> only_sliced_;
  bool may_move_ = false;  // only slices use the node that the slice at hand cuts
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
