// This file appends nodes to a graph and tells whether two graphs are equal.
#include "ir/graph.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <unordered_map>

#include "ir/check.hpp"
#include "ir/print.hpp"
#include "ir/scan.hpp"
#include "ir/verify.hpp"

namespace rnnc::ir {

std::string Type::sequence_text() const { return axis.empty() ? "" : axis == kTime ? "seq " : "seq<" + axis + "> "; }

std::string Type::to_string(const char* comma) const {
  std::string text = sequence_text() + "f32";
  for (std::size_t i = 0; i < dims.size(); ++i) text += (i == 0 ? "[" : comma) + dims[i].to_string();
  return dims.empty() ? text : text + "]";
}

std::int64_t elements(const Type& type) {
  std::int64_t product = 1;
  for (const Dim& dim : type.dims) product *= dim.value();
  return product;
}

Shape shape_of(const Type& type) {
  Shape shape;
  for (const Dim& dim : type.dims) shape.push_back(dim.value());
  return shape;
}

Value Graph::append(Node node) {
  Result<Type> type = infer_type(*this, node);
  if (!type) internal_error(this, "appended node: " + type.error().to_string());
  node.type = std::move(*type);
  nodes.push_back(std::move(node));
  return Value{static_cast<std::uint32_t>(nodes.size() - 1)};
}

Value Graph::constant(float value) { return append({.op = Op::Constant, .constant = value}); }

Value Graph::map(Function function, std::vector<Value> operands) {
  return append({.op = Op::Map, .function = function, .operands = std::move(operands)});
}

Value Graph::reduce(Reduction reduction, std::vector<Value> operands) {
  return append({.op = Op::Reduce, .reduction = reduction, .operands = std::move(operands)});
}

Value Graph::slice(Value vector, Dim begin, Dim end) {
  return append({.op = Op::Slice, .operands = {vector}, .ranges = {{std::move(begin), std::move(end)}}});
}

Value Graph::concat(std::vector<Value> parts) {
  return parts.size() == 1 ? parts[0] : append({.op = Op::Concat, .operands = std::move(parts)});
}

Value Graph::output() const {
  for (const Statement& statement : statements) {
    if (statement.kind == Statement::Kind::Output) return statement.value;
  }
  internal_error(this, "no output");
}

std::vector<NamedValue> Graph::outputs() const {
  std::vector<NamedValue> result;
  for (const Statement& statement : statements) {
    if (statement.kind != Statement::Kind::Output) continue;
    result.push_back({statement.name.empty() ? std::string(kFirstOutput) : statement.name, statement.value});
  }
  return result;
}

namespace {

// Gives a number to each expression, so that equal expressions of any graphs have equal numbers.
class Numbering {
 public:
  std::vector<std::size_t> number(const Graph& graph) {
    std::vector<std::size_t> numbers;
    numbers.reserve(graph.nodes.size());
    for (const Node& node : graph.nodes) {
      numbers.push_back(numbers_.try_emplace(key(node, numbers), numbers_.size()).first->second);
    }
    return numbers;
  }

 private:
  static std::string key(const Node& node, const std::vector<std::size_t>& numbers) {
    const auto bits = std::isnan(node.constant) ? 0x7fc00000U : std::bit_cast<std::uint32_t>(node.constant);
    std::string text = std::to_string(static_cast<int>(node.op));
    const auto add = [&](const std::string& part) { text += ' ' + part; };
    if (node.op == Op::Map) add(std::to_string(static_cast<int>(node.function)));
    if (node.op == Op::Reduce) add(std::to_string(static_cast<int>(node.reduction)));
    if (node.op == Op::Rows) add(std::to_string(static_cast<int>(node.row_op)));
    if (node.op == Op::Constant) add(std::to_string(bits));
    for (const Value operand : node.operands) {
      add(operand.index < numbers.size() ? std::to_string(numbers[operand.index]) : "?");
    }
    for (const Range& range : node.ranges) add(range.begin.to_string() + ':' + range.end.to_string());
    if (node.op == Op::OverTime) add(std::to_string(static_cast<int>(node.over_time)));
    if (node.op == Op::Scan) add(key(*node.scan));
    if (!node.name.empty()) add(node.name + ' ' + node.type.to_string());
    return text;
  }

  static std::string key(const Scan& scan) {
    std::string text = std::to_string(static_cast<int>(scan.direction)) + ' ' +
                       std::to_string(static_cast<int>(scan.merge)) + ' ' + scan.steps;
    for (const auto& [name, dim] : scan.dims) text += ' ' + name + '=' + dim.to_string();
    for (const std::string& name : scan.initial) text += ' ' + name;
    return text + ' ' + print(*scan.cell);
  }

  std::unordered_map<std::string, std::size_t> numbers_;
};

std::vector<std::size_t> declarations(const Graph& graph, const std::vector<std::size_t>& numbers) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (is_declaration(graph.nodes[i])) found.push_back(numbers[i]);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

bool equal(const Graph& a, const Graph& b) {
  if (a.kind != b.kind || a.name != b.name || a.dims != b.dims || a.statements.size() != b.statements.size())
    return false;
  Numbering numbering;
  const std::vector<std::size_t> in_a = numbering.number(a);
  const std::vector<std::size_t> in_b = numbering.number(b);
  const auto same = [&](const Statement& s, const Statement& t) {
    return s.kind == t.kind && s.name == t.name && s.bound == t.bound && s.value.index < in_a.size() &&
           t.value.index < in_b.size() && in_a[s.value.index] == in_b[t.value.index];
  };
  return declarations(a, in_a) == declarations(b, in_b) &&
         std::equal(a.statements.begin(), a.statements.end(), b.statements.begin(), same);
}

}  // namespace rnnc::ir
