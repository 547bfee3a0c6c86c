#include "compiler/gradient/derivative.hpp"

#include <string>
#include <string_view>
#include <utility>

#include "ir/check.hpp"
#include "ir/parse.hpp"

namespace rnnc::compiler {
namespace {

using ir::Node;
using ir::Op;
using ir::Value;

constexpr std::string_view kOperands[] = {"a", "b", "c", "d"};
static_assert(std::size(kOperands) >= runtime::kMostOperands);

// Returns the cell of one step whose output is the text.
ir::Cell parse_derivative(std::string_view text) {
  const std::string cell = "cell derivative { input a, b, c, d, y, g : f32 output " + std::string(text) + " }";
  Result<ir::Module> module = ir::parse(cell, "ir/ops.def");
  if (!module) ir::internal_error(nullptr, "a derivative is no expression: " + module.error().to_string());
  return std::move(module->cells[0]);
}

}  // namespace

std::optional<Value> pull_back(ir::Graph& graph, Value result, Value cotangent, std::size_t which) {
  const Node map = graph[result];
  const std::string_view text = ir::derivatives(map.function).of_operand[which];
  if (text == "0") return std::nullopt;
  const ir::Cell formula = parse_derivative(text);
  std::vector<Value> values;
  for (Node node : formula.nodes) {
    if (node.op != Op::Input) {
      for (Value& operand : node.operands) operand = values[operand.index];
      node.location = {};
      values.push_back(graph.append(std::move(node)));
      continue;
    }
    Value value = node.name == "g" ? cotangent : result;
    for (std::size_t i = 0; i < map.operands.size(); ++i)
      if (node.name == kOperands[i]) value = map.operands[i];
    values.push_back(value);
  }
  return values[formula.output().index];
}

}  // namespace rnnc::compiler
