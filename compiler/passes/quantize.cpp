// Products of the recurrence and of inputs become products of integers: the vector becomes integers with one scale, and
// a row's sum of integers is scaled back before the start of the chain is added to it. Where a range of the vector is
// proved or was measured, the scale is a constant. Else it is found anew in each step of each sequence, from the
// largest magnitude, so that a result depends on no other sequence and no other step. A product of parameters is
// computed once, in floats.
#include <map>
#include <optional>

#include "compiler/passes/analysis.hpp"
#include "compiler/passes/copy_forward.hpp"
#include "compiler/passes/pass.hpp"
#include "compiler/passes/ranges.hpp"

namespace rnnc::compiler {
namespace {

using ir::Cell;
using ir::Dim;
using ir::Function;
using ir::Node;
using ir::Op;
using ir::Value;

struct Quantized {
  Value integers;
  Value step;  // element = integer * step
};

class Quantizer {
 public:
  Quantizer(const Cell& from, runtime::NumberFormat format)
      : from_(from), format_(format), phases_(phases(from)), live_(live_nodes(from)), ranges_(ranges_of(from)) {}

  Cell run() {
    std::vector<Value> replaced(from_.nodes.size());
    to_ = like(from_);
    for (std::uint32_t i = 0; i < from_.nodes.size(); ++i) {
      if (!live_[i]) continue;
      Node node = from_.nodes[i];
      const Value vector = node.op == Op::Project ? node.operands[0] : Value{};
      for (Value& operand : node.operands) operand = replaced[operand.index];
      const bool is_changed = node.op == Op::Project && phases_[i] != Phase::Once;
      replaced[i] = is_changed ? product(std::move(node), vector) : to_.append(std::move(node));
    }
    copy_statements(from_, live_, replaced, to_);
    return cse(to_);
  }

 private:
  std::int64_t most() const { return runtime::most_of_digits(runtime::vector_digits(format_)); }

  Value product(Node node, Value vector) {
    const Quantized x = quantized(vector, node.operands[0]);
    const Value start = node.operands[2];
    node.operands[0] = x.integers;
    node.operands[2] = to_.constant(0);
    const Value sums = to_.map(Function::Mul, {to_.append(std::move(node)), x.step});
    const bool is_zero = to_[start].op == Op::Constant && to_[start].constant == 0;
    return is_zero ? sums : to_.map(Function::Add, {start, sums});
  }

  // Returns the integers of a vector of the old cell, which `copy` is in the new one.
  Quantized quantized(Value vector, Value copy) {
    const auto [known, is_new] = quantized_.try_emplace(vector);
    if (is_new) known->second = make(copy, bound_of_integers(from_, ranges_, vector));
    return known->second;
  }

  Quantized make(Value vector, std::optional<double> bound) {
    const auto largest_integer = static_cast<float>(most());
    if (bound) {
      const Value scale = to_.constant(static_cast<float>(static_cast<double>(most()) / *bound));
      return {integers(vector, scale), to_.constant(static_cast<float>(*bound / static_cast<double>(most())))};
    }
    const Value found = to_.reduce(ir::Reduction::Max, {to_.map(Function::Abs, {vector})});
    const Value at_least = to_.map(Function::Max, {found, to_.constant(runtime::kSmallestScaled)});
    // An infinite element makes the whole product NaN, as one that is NaN does.
    const Value nothing = to_.map(Function::Mul, {at_least, to_.constant(0)});
    const Value largest = to_.map(Function::Add, {at_least, nothing});
    const Value scale = to_.map(Function::Div, {to_.constant(largest_integer), largest});
    return {integers(vector, scale), to_.map(Function::Div, {largest, to_.constant(largest_integer)})};
  }

  Value integers(Value vector, Value scale) {
    const auto bits = [](int digits) { return Dim(std::int64_t{runtime::kBitsOfDigit} * digits); };
    return to_.append({.op = Op::Quantize,
                       .operands = {vector, scale},
                       .ranges = {{bits(runtime::vector_digits(format_)), bits(runtime::weight_digits(format_))}}});
  }

  const Cell& from_;
  const runtime::NumberFormat format_;
  const std::vector<Phase> phases_;
  const std::vector<bool> live_;
  const std::vector<Interval> ranges_;
  Cell to_;
  std::map<Value, Quantized> quantized_;
};

}  // namespace

Cell quantize(const Cell& cell, runtime::NumberFormat format) { return Quantizer(cell, format).run(); }

}  // namespace rnnc::compiler
