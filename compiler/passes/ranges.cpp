// Every operation may round. An operation that is rounded once keeps the order of numbers, so that its result lies
// between the rounded ends of the exact interval; what other functions may err by widens theirs. The intervals of
// states follow from each other: a pass over the cell starts from the interval that callers may begin a state in, and
// widens the states until no next value leaves its interval. States that still grow after a few passes have no bound at
// first. As no next value leaves its interval then, the intervals of the next values hold too: a state that only grew
// with another one, but is bounded for any, gets its bound back.
#include "compiler/passes/ranges.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>

#include "compiler/passes/analysis.hpp"
#include "runtime/number_format.hpp"

namespace rnnc::compiler {
namespace {

using ir::Cell;
using ir::Function;
using ir::Node;
using ir::Op;
using ir::Value;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Interval kUnit = {0, 1};
// A function of elements errs by less than this part of its result: 8 units in the last place.
constexpr double kError = 0x1p-20;
// A caller may begin a state anywhere here, also one that becomes no larger than 0.1 by itself.
constexpr Interval kStart = {-1, 1};

Interval hull(const Interval& a, const Interval& b) { return {std::min(a.low, b.low), std::max(a.high, b.high)}; }

Interval intersection(const Interval& a, const Interval& b) {
  return {std::max(a.low, b.low), std::min(a.high, b.high)};
}

// 0 * infinity is 0 here: infinity stands for large numbers, which are finite.
double times(double a, double b) { return a == 0 || b == 0 ? 0 : a * b; }

Interval product(const Interval& a, const Interval& b) {
  const auto [low, high] =
      std::minmax({times(a.low, b.low), times(a.low, b.high), times(a.high, b.low), times(a.high, b.high)});
  return {low, high};
}

Interval sum(const Interval& a, const Interval& b) { return {a.low + b.low, a.high + b.high}; }
Interval negative(const Interval& a) { return {-a.high, -a.low}; }

Interval magnitude(const Interval& a) {
  if (a.low >= 0) return a;
  if (a.high <= 0) return negative(a);
  return {0, std::max(-a.low, a.high)};
}

// Returns the interval of a function that grows with its operand.
template <class F>
Interval of_growing(const Interval& a, F function) {
  return {function(a.low), function(a.high)};
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

Interval sigmoid(const Interval& x) {
  return of_growing(x, [](double v) { return sigmoid(v); });
}
Interval tanh(const Interval& x) {
  return of_growing(x, [](double v) { return std::tanh(v); });
}

Interval quotient(const Interval& a, const Interval& b) {
  if (b.low <= 0 && b.high >= 0) return {};
  return product(a, {1 / b.high, 1 / b.low});
}

class Ranger {
 public:
  explicit Ranger(const Cell& cell) : cell_(cell), ranges_(cell.nodes.size()) {
    for (const Node& node : cell.nodes)
      if (node.op == Op::State) states_[node.name] = kStart;
    for (const ir::Statement& statement : cell.statements) {
      if (statement.kind != ir::Statement::Kind::Within || std::isinf(statement.bound)) continue;
      Interval& range = measured_[statement.value];
      range = intersection(range, {-static_cast<double>(statement.bound), statement.bound});
    }
  }

  std::vector<Interval> run() {
    // An LSTM needs two passes and a GRU three; a state that is bounded by another one needs one more.
    constexpr int kPasses = 8;
    for (int pass = 0; widen(); ++pass)
      if (pass >= kPasses) give_up_ = true;
    if (!give_up_) return std::move(ranges_);
    // A state may be bounded through another one, which has to get its bound back first.
    for (int pass = 0; pass < kPasses; ++pass) narrow();
    return std::move(ranges_);
  }

 private:
  // Computes all intervals, and tells whether a state's next value leaves the interval of the state.
  bool widen() {
    compute();
    bool wider = false;
    for (const ir::Statement& statement : cell_.statements) {
      if (statement.kind != ir::Statement::Kind::Next) continue;
      Interval& state = states_[statement.name];
      const Interval all = hull(state, ranges_[statement.value.index]);
      if (all == state) continue;
      state = give_up_ ? Interval{} : all;
      wider = true;
    }
    return wider;
  }

  void compute() {
    for (std::uint32_t i = 0; i < cell_.nodes.size(); ++i) {
      ranges_[i] = checked(range(cell_.nodes[i]));
      const auto found = measured_.find(Value{i});
      if (found == measured_.end()) continue;
      // A caller may begin a state anywhere in its measured range.
      ranges_[i] = cell_.nodes[i].op == Op::State ? found->second : within(ranges_[i], found->second);
    }
  }

  // A range that was measured of other data may not meet the proved one; then the measured range counts.
  static Interval within(const Interval& range, const Interval& measured) {
    const Interval both = intersection(range, measured);
    return both.low <= both.high ? both : measured;
  }

  void narrow() {
    for (const ir::Statement& statement : cell_.statements)
      if (statement.kind == ir::Statement::Kind::Next)
        states_[statement.name] = hull(kStart, ranges_[statement.value.index]);
    compute();
  }

  // A difference of infinities is no bound.
  static Interval checked(const Interval& range) {
    return {std::isnan(range.low) ? -kInfinity : range.low, std::isnan(range.high) ? kInfinity : range.high};
  }

  static Interval widened(const Interval& exact) {
    return {exact.low - std::abs(exact.low) * kError, exact.high + std::abs(exact.high) * kError};
  }

  static Interval rounded(Function function, const Interval& exact) {
    constexpr double kRoundedOnce = 0.5;
    if (ir::facts(function).ulp <= kRoundedOnce)
      return {static_cast<double>(static_cast<float>(exact.low)), static_cast<double>(static_cast<float>(exact.high))};
    // These never exceed their limits (docs/numerics.md).
    if (function == Function::Tanh || function == Function::Erf) return intersection(widened(exact), {-1, 1});
    if (function == Function::Sigmoid) return intersection(widened(exact), kUnit);
    return widened(exact);
  }

  Interval range(const Node& node) const {
    switch (node.op) {
      case Op::Constant: return {node.constant, node.constant};
      case Op::State: return states_.at(node.name);
      case Op::Slice:
      case Op::Hoist:
      case Op::Fill: return of(node, 0);
      case Op::Concat: return of_all(node);
      case Op::Map: return rounded(node.function, of_map(node));
      case Op::Reduce: return of_reduction(node);
      case Op::Input:
      case Op::Param:
      case Op::Matvec:
      case Op::Lookup:
      case Op::Project:
      case Op::Quantize:
      case Op::Rows:
      case Op::Scan:
      case Op::FinalState:
      case Op::OverTime: break;
    }
    return {};
  }

  const Interval& of(const Node& node, std::size_t operand) const { return ranges_[node.operands[operand].index]; }

  Interval of_all(const Node& node) const {
    Interval all = of(node, 0);
    for (std::size_t i = 1; i < node.operands.size(); ++i) all = hull(all, of(node, i));
    return all;
  }

  Interval of_reduction(const Node& node) const {
    switch (node.reduction) {
      case ir::Reduction::Max: return of(node, 0);
      case ir::Reduction::Mean: return widened(of(node, 0));
      case ir::Reduction::Softmax: return kUnit;
      case ir::Reduction::Sum: {
        // A partial sum has a sixteenth of the elements, and each of its additions rounds to a unit in the last place.
        constexpr double kUnitOfLast = 0x1p-23;
        const auto count = static_cast<double>(size_of(cell_[node.operands[0]]));
        const Interval exact = product(of(node, 0), {count, count});
        const double error = kUnitOfLast * (count / 16 + 4) * exact.bound();
        return {exact.low - error, exact.high + error};
      }
      case ir::Reduction::Argmax:
      case ir::Reduction::LayerNorm: break;
    }
    return {};
  }

  bool is(Value value, Function function) const {
    return cell_[value].op == Op::Map && cell_[value].function == function;
  }

  bool is_share(Value value) const {
    const Interval& range = ranges_[value.index];
    return range.low >= 0 && range.high <= 1;
  }

  // Tells whether `rest` is 1 - share.
  bool is_rest(Value rest, Value share) const {
    if (!is(rest, Function::Sub) || cell_[rest].operands[1] != share) return false;
    const Node& one = cell_[cell_[rest].operands[0]];
    return one.op == Op::Constant && one.constant == 1;
  }

  // Returns the interval of a sum that lies between two values: s * a + (1 - s) * b, or b + s * (a - b).
  std::optional<Interval> of_mixture(const Node& node) const {
    for (const auto& [left, right] :
         {std::pair{node.operands[0], node.operands[1]}, std::pair{node.operands[1], node.operands[0]}}) {
      if (!is(right, Function::Mul)) continue;
      const std::vector<Value>& factors = cell_[right].operands;
      for (std::size_t k = 0; k < 2; ++k) {
        const Value share = factors[k], other = factors[1 - k];
        if (!is_share(share)) continue;
        if (is(other, Function::Sub) && cell_[other].operands[1] == left)
          return hull(ranges_[left.index], ranges_[cell_[other].operands[0].index]);
        if (!is(left, Function::Mul)) continue;
        const std::vector<Value>& parts = cell_[left].operands;
        for (std::size_t j = 0; j < 2; ++j)
          if (is_rest(parts[j], share)) return hull(ranges_[other.index], ranges_[parts[1 - j].index]);
      }
    }
    return std::nullopt;
  }

  // Tells whether a quotient divides elements that are not negative by their sum.
  bool is_part_of_sum(const Node& node) const {
    const Node& total = cell_[node.operands[1]];
    return total.op == Op::Reduce && total.reduction == ir::Reduction::Sum && total.operands[0] == node.operands[0] &&
           of(node, 0).low >= 0;
  }

  Interval of_map(const Node& node) const {
    const Interval& a = of(node, 0);
    switch (node.function) {
      case Function::Add: return of_mixture(node).value_or(sum(a, of(node, 1)));
      case Function::Sub: return sum(a, negative(of(node, 1)));
      case Function::Mul:
        if (node.operands[0] == node.operands[1]) return product(magnitude(a), magnitude(a));
        return product(a, of(node, 1));
      case Function::Div: return is_part_of_sum(node) ? kUnit : quotient(a, of(node, 1));
      case Function::Neg: return negative(a);
      case Function::Sigmoid: return sigmoid(a);
      case Function::Tanh: return tanh(a);
      case Function::Relu: return {std::max(0.0, a.low), std::max(0.0, a.high)};
      case Function::Exp: return of_growing(a, [](double v) { return std::exp(v); });
      case Function::Abs: return magnitude(a);
      case Function::Min: return {std::min(a.low, of(node, 1).low), std::min(a.high, of(node, 1).high)};
      case Function::Max: return {std::max(a.low, of(node, 1).low), std::max(a.high, of(node, 1).high)};
      case Function::Erf: return of_growing(a, [](double v) { return std::erf(v); });
      case Function::Softsign:
        return of_growing(a, [](double v) { return std::isinf(v) ? std::copysign(1, v) : v / (1 + std::abs(v)); });
      case Function::Silu:
      case Function::Gelu: return {-1, std::max(0.0, a.high)};  // both are at least -0.28
      case Function::ScaledTanh: return product(of(node, 1), tanh(product(a, of(node, 2))));
      case Function::Affine: return sum(product(of(node, 1), a), of(node, 2));
      case Function::HardSigmoid: return kUnit;
      case Function::Clip: return of_clip(a, of(node, 1), of(node, 2));
      case Function::Select: return hull(of(node, 2), of(node, 3));
      case Function::SigmoidMul: return product(sigmoid(a), of(node, 1));
      case Function::SigmoidSigmoid: return product(sigmoid(a), sigmoid(of(node, 1)));
      case Function::SigmoidTanh: return product(sigmoid(a), tanh(of(node, 1)));
      case Function::TanhTanh: return product(tanh(a), tanh(of(node, 1)));
      case Function::Log:
      case Function::Sqrt:
      case Function::Rsqrt:
      case Function::Softplus:
      case Function::Elu:
      case Function::LeakyRelu:
      case Function::ThresholdedRelu: break;
    }
    return {};
  }

  static Interval of_clip(const Interval& x, const Interval& low, const Interval& high) {
    const Interval above{std::max(x.low, low.low), std::max(x.high, low.high)};
    return {std::min(above.low, high.low), std::min(above.high, high.high)};
  }

  const Cell& cell_;
  std::vector<Interval> ranges_;
  std::map<std::string, Interval> states_;
  std::map<Value, Interval> measured_;
  bool give_up_ = false;
};

}  // namespace

double Interval::bound() const { return std::max(std::abs(low), std::abs(high)); }

std::vector<Interval> ranges_of(const Cell& cell) { return Ranger(cell).run(); }

const ir::Statement* measured_range(const Cell& cell, Value vector) {
  const auto is_of = [&](const ir::Statement& statement) {
    return statement.kind == ir::Statement::Kind::Within && statement.value == vector;
  };
  for (;; vector = cell[vector].operands[0]) {
    const auto found = std::ranges::find_if(cell.statements, is_of);
    if (found != cell.statements.end()) return &*found;
    if (cell[vector].op != Op::Slice && cell[vector].op != Op::Hoist) return nullptr;
  }
}

namespace {

// Rounds a bound to 11 significant bits: what was added for rounding goes, and integers saturate at the bound.
double shortened(double bound) {
  constexpr int kBits = 11;
  int exponent = 0;
  const double fraction = std::frexp(bound, &exponent);
  return std::isfinite(bound) ? std::ldexp(std::nearbyint(std::ldexp(fraction, kBits)), exponent - kBits) : bound;
}

}  // namespace

std::optional<double> bound_of_integers(const Cell& cell, const std::vector<Interval>& ranges, Value vector) {
  // A vector in a proved range that is much wider than its elements would lose digits. What was measured is no wider.
  constexpr double kWidestProved = 8;
  const ir::Statement* measured = measured_range(cell, vector);
  const double widest = measured && std::isfinite(measured->bound) ? kLargestMeasured : kWidestProved;
  const double bound = shortened(ranges[vector.index].bound());
  return bound >= runtime::kSmallestScaled && bound <= widest ? std::optional(bound) : std::nullopt;
}

std::map<std::string, Interval> bounds_of_states(const Cell& cell) {
  std::vector<bool> seen(cell.nodes.size());
  std::vector<Value> pending;
  const auto visit = [&](Value value) {
    if (!seen[value.index]) pending.push_back(value);
    seen[value.index] = true;
  };
  for (const Node& node : cell.nodes)
    if (node.op == Op::Quantize && cell[node.operands[1]].op == Op::Constant) visit(node.operands[0]);
  std::map<std::string, Interval> bounds;
  if (pending.empty()) return bounds;
  const std::vector<Interval> ranges = ranges_of(cell);
  // The walk goes from a vector in its range to the states that it is computed from, and through their next values.
  while (!pending.empty()) {
    const Value value = pending.back();
    pending.pop_back();
    const Node& node = cell[value];
    if (node.op == Op::State) {
      visit(cell.next_of(node.name));
      if (ranges[value.index] != Interval{}) bounds[node.name] = ranges[value.index];
    }
    if (node.op != Op::Project)
      for (const Value operand : node.operands) visit(operand);
  }
  return bounds;
}

}  // namespace rnnc::compiler
