// A product of two values that are each a sigmoid or a tanh becomes a function that divides once, and so does a product
// of a sigmoid with any value: divisions take most of the time of the element-wise part of an LSTM. A sigmoid or tanh
// that has another user, or that is stored in memory, keeps its own division.
#include <utility>
#include <vector>

#include "compiler/passes/analysis.hpp"
#include "compiler/passes/copy_forward.hpp"
#include "compiler/passes/pass.hpp"

namespace rnnc::compiler {
namespace {

using ir::Cell;
using ir::Function;
using ir::Node;
using ir::Op;
using ir::Value;

class DivisionSharer {
 public:
  explicit DivisionSharer(const Cell& cell)
      : cell_(cell), users_(users(cell)), stored_(stored_values(cell)), live_(live_nodes(cell)) {}

  Cell run() {
    std::vector<Node> nodes = cell_.nodes;
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (live_[i]) share(nodes[i]);
    std::vector<Value> replaced(nodes.size());
    Cell to = like(cell_);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (!live_[i]) continue;
      for (Value& operand : nodes[i].operands) operand = replaced[operand.index];
      replaced[i] = to.append(std::move(nodes[i]));
    }
    copy_statements(cell_, live_, replaced, to);
    return to;
  }

 private:
  bool is(Value value, Function function) const {
    return cell_[value].op == Op::Map && cell_[value].function == function;
  }

  bool may_wait(Value value) const {
    return (is(value, Function::Sigmoid) || is(value, Function::Tanh)) && users_[value.index].size() == 1 &&
           !stored_[value.index];
  }

  // A product of a tanh with any other value stays: the numerator of the tanh times a large value might overflow.
  void share(Node& node) {
    if (node.op != Op::Map || node.function != Function::Mul) return;
    Value a = node.operands[0], b = node.operands[1];
    const auto is_waiting_sigmoid = [&](Value value) { return is(value, Function::Sigmoid) && may_wait(value); };
    if (!is_waiting_sigmoid(a) && is_waiting_sigmoid(b)) std::swap(a, b);
    const bool both = may_wait(a) && may_wait(b);
    if (!may_wait(a) || (!both && !is(a, Function::Sigmoid))) return;
    if (!both)
      node.function = Function::SigmoidMul;
    else if (is(a, Function::Tanh))
      node.function = Function::TanhTanh;
    else
      node.function = is(b, Function::Tanh) ? Function::SigmoidTanh : Function::SigmoidSigmoid;
    node.operands = {take(a), both ? take(b) : b};
  }

  Value take(Value quotient) {
    live_[quotient.index] = false;
    return cell_[quotient].operands[0];
  }

  const Cell& cell_;
  std::vector<std::vector<std::uint32_t>> users_;
  std::vector<bool> stored_;
  std::vector<bool> live_;
};

}  // namespace

Cell share_divisions(const Cell& cell) { return DivisionSharer(cell).run(); }

}  // namespace rnnc::compiler
