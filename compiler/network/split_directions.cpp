#include "compiler/network/split_directions.hpp"

#include <array>
#include <utility>

#include "ir/check.hpp"
#include "ir/scan.hpp"

namespace rnnc::compiler {
namespace {

using ir::Function;
using ir::Network;
using ir::Node;
using ir::Op;
using ir::Scan;
using ir::Value;

class DirectionSplitter {
 public:
  explicit DirectionSplitter(const Network& from)
      : from_(from), replaced_(from.nodes.size()), parts_(from.nodes.size()) {
    to_.name = from.name;
    to_.source = from.source;
    to_.location = from.location;
  }

  Network run() {
    for (std::size_t i = 0; i < from_.nodes.size(); ++i) replaced_[i] = copy(i);
    for (ir::Statement statement : from_.statements) {
      const Value of = std::exchange(statement.value, replaced_[statement.value.index]);
      to_.statements.push_back(statement);
      if (statement.kind == ir::Statement::Kind::Within && to_[statement.value].op == Op::Concat)
        keep_range(statement, of);
    }
    return std::move(to_);
  }

 private:
  Value copy(std::size_t i) {
    Node node = from_.nodes[i];
    if (node.op == Op::Scan && node.scan->direction == Direction::Bidirectional) {
      parts_[i] = {part(node, "fwd", Direction::Forward), part(node, "bwd", Direction::Reverse)};
      return merge(node, parts_[i][0], parts_[i][1]);
    }
    for (Value& operand : node.operands) operand = replaced_[operand.index];
    if (node.op == Op::FinalState) {
      const Value scan = from_.nodes[i].operands[0];
      if (from_[scan].scan->direction == Direction::Bidirectional) {
        node.operands[0] = parts_[scan.index][node.name.starts_with("fwd.") ? 0 : 1];
        node.name = node.name.substr(node.name.find('.') + 1);
      }
    }
    return to_.append(std::move(node));
  }

  // A product of joined directions becomes one of each, whose vectors have the range of both.
  void keep_range(ir::Statement statement, Value of) {
    if (from_[of].op != Op::Scan) return;
    for (const Value part : parts_[of.index]) {
      statement.value = part;
      to_.statements.push_back(statement);
    }
  }

  // Adds one direction of a scan, with the initial states of that direction.
  Value part(const Node& node, const std::string& name, Direction direction) {
    Scan scan = *node.scan;
    scan.direction = direction;
    scan.merge = Merge::Concat;
    scan.initial.clear();
    std::vector<Value> operands;
    const std::size_t arguments = node.scan->arguments(node);
    for (std::size_t k = 0; k < node.operands.size(); ++k) {
      if (k >= arguments) {
        const std::string& state = node.scan->initial[k - arguments];
        if (!state.starts_with(name + ".")) continue;
        scan.initial.push_back(state.substr(name.size() + 1));
      }
      operands.push_back(replaced_[node.operands[k].index]);
    }
    return to_.append({.op = Op::Scan,
                       .operands = std::move(operands),
                       .scan = std::make_shared<const Scan>(std::move(scan)),
                       .name = node.name + "." + name,
                       .location = node.location});
  }

  Value merge(const Node& node, Value forward, Value backward) {
    switch (node.scan->merge) {
      case Merge::Concat: return to_.concat({forward, backward});
      case Merge::Sum: return to_.map(Function::Add, {forward, backward});
      case Merge::Mean: {
        const Value sum = to_.map(Function::Add, {forward, backward});
        return to_.map(Function::Mul, {sum, to_.constant(0.5F)});
      }
      case Merge::Mul: return to_.map(Function::Mul, {forward, backward});
    }
    ir::internal_error(&from_, "a merge that does not exist");
  }

  const Network& from_;
  Network to_;
  std::vector<Value> replaced_;
  std::vector<std::array<Value, 2>> parts_;  // the two scans of each bidirectional scan
};

}  // namespace

ir::Network split_directions(const ir::Network& network) { return DirectionSplitter(network).run(); }

}  // namespace rnnc::compiler
