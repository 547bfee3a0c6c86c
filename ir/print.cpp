// Graphs become text in two steps: the printer counts the uses of every value to see which values need a name of their
// own, then writes statement by statement, with as few parentheses as precedence allows.
#include "ir/print.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "ir/scan.hpp"
#include "ir/syntax.hpp"

namespace rnnc::ir {

namespace {

// This is well below the parser's limit of 256, and people cannot follow deeper nesting.
constexpr int kDeepest = 64;

bool is_negative(float value) { return std::signbit(value) && !std::isnan(value); }

Precedence precedence_of(const Node& node) {
  switch (node.op) {
    case Op::Map: return precedence(node.function);
    case Op::Constant: return is_negative(node.constant) ? Precedence::Unary : Precedence::Primary;
    case Op::Matvec: return Precedence::Matvec;
    case Op::Input:
    case Op::State:
    case Op::Param:
    case Op::Slice:
    case Op::Concat:
    case Op::Lookup:
    case Op::Project:
    case Op::Reduce:
    case Op::Hoist:
    case Op::Fill:
    case Op::Quantize:
    case Op::Rows:
    case Op::Scan:
    case Op::FinalState:
    case Op::OverTime: return Precedence::Primary;
  }
  return Precedence::Primary;
}

Precedence above(Precedence precedence) { return static_cast<Precedence>(static_cast<int>(precedence) + 1); }

// Writes expressions into `out`. A value that has a name is written as its name.
class Writer {
 public:
  explicit Writer(const Graph& graph) : graph_(graph), names_(graph.nodes.size()) {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      if (is_declaration(graph.nodes[i])) names_[i] = graph.nodes[i].name;
    }
  }

  void write(Value value, std::uint32_t before, Precedence least, int depth) {
    if (value.index >= before) {
      out += "%?";
    } else if (!names_[value.index].empty()) {
      out += names_[value.index];
    } else if (depth <= 0 || out.size() > longest) {
      out += "...";
    } else {
      write_node(value.index, least, depth - 1);
    }
  }

  std::vector<std::string>& names() { return names_; }

  std::string out;
  std::size_t longest = std::string::npos;  // the length of `out` at which the writer stops descending

 private:
  void write_node(std::uint32_t index, Precedence least, int depth) {
    const Node& node = graph_.nodes[index];
    const bool parenthesized = precedence_of(node) < least;
    if (parenthesized) out += '(';
    write_by_op(node, index, depth);
    if (parenthesized) out += ')';
  }

  void write_by_op(const Node& node, std::uint32_t index, int depth) {
    switch (node.op) {
      case Op::Input:
      case Op::State:
      case Op::Param: out += node.name; return;
      case Op::Constant: out += number_text(node.constant); return;
      case Op::Slice:
        operand(node, 0, index, Precedence::Primary, depth);
        write_ranges(node);
        return;
      case Op::Matvec:
        operand(node, 0, index, Precedence::Primary, depth);
        out += " @ ";
        operand(node, 1, index, Precedence::Matvec, depth);
        return;
      case Op::Map: write_map(node, index, depth); return;
      case Op::Reduce: write_call(facts(node.reduction).name, node, index, depth); return;
      case Op::OverTime: write_call(facts(node.over_time).name, node, index, depth); return;
      case Op::FinalState:
        operand(node, 0, index, Precedence::Primary, depth);
        out += '.' + node.name;
        return;
      case Op::Scan: write_scan(node, index, depth); return;
      case Op::Concat:
      case Op::Lookup:
      case Op::Project:
      case Op::Hoist:
      case Op::Fill:
      case Op::Quantize: write_call(call_name(node.op), node, index, depth); return;
      case Op::Rows: write_call(facts(node.row_op).name, node, index, depth); return;
    }
  }

  void write_map(const Node& node, std::uint32_t index, int depth) {
    const std::string_view name = facts(node.function).name;
    const Precedence level = precedence(node.function);
    if (level == Precedence::Primary) {
      write_call(name, node, index, depth);
    } else if (level == Precedence::Unary) {
      out += name;
      // `-0.5` is one constant, so a minus before a constant needs parentheses.
      const bool constant = is_constant(node, 0, index);
      if (constant) out += '(';
      operand(node, 0, index, constant ? Precedence::Sum : Precedence::Matvec, depth);
      if (constant) out += ')';
    } else {
      operand(node, 0, index, level, depth);
      out += ' ';
      out += name;
      out += ' ';
      operand(node, 1, index, above(level), depth);
    }
  }

  void write_call(std::string_view name, const Node& node, std::uint32_t index, int depth) {
    out += name;
    out += '(';
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
      const bool compared = node.op == Op::Map && node.function == Function::Select && i == 1;
      if (i > 0) out += compared ? " > " : ", ";
      operand(node, i, index, Precedence::Sum, depth);
    }
    const int dims = node.ranges.empty() ? 0 : dim_arguments(node.op, node.row_op);
    if (dims == 2) out += ", " + node.ranges[0].begin.to_string();
    if (dims > 0) out += ", " + node.ranges[0].end.to_string();
    out += ')';
  }

  void write_scan(const Node& node, std::uint32_t index, int depth) {
    const Scan& scan = *node.scan;
    const std::size_t arguments = std::min(scan.arguments(node), node.operands.size());
    if (scan.direction == Direction::Reverse) out += "reverse ";
    if (scan.direction == Direction::Bidirectional) out += "bidirectional ";
    out += scan.cell->name;
    for (auto dim = scan.dims.begin(); dim != scan.dims.end(); ++dim) {
      out += (dim == scan.dims.begin() ? "<" : ", ") + dim->first + "=" + dim->second.to_string();
    }
    if (!scan.dims.empty()) out += '>';
    out += '(';
    for (std::size_t i = 0; i < arguments; ++i) {
      if (i > 0) out += ", ";
      operand(node, i, index, Precedence::Sum, depth);
    }
    out += ')';
    if (scan.merge != Merge::Concat) out += " merge " + std::string(name_of(scan.merge));
    if (!scan.steps.empty()) out += " steps " + scan.steps;
    for (std::size_t i = 0; i < scan.initial.size(); ++i) {
      out += (i == 0 ? " from (" : ", ") + scan.initial[i] + " = ";
      operand(node, arguments + i, index, Precedence::Sum, depth);
    }
    if (!scan.initial.empty()) out += ')';
  }

  void write_ranges(const Node& node) {
    for (std::size_t i = 0; i < node.ranges.size(); ++i) {
      out += i == 0 ? "[" : ", ";
      out += node.ranges[i].begin.to_string() + ":" + node.ranges[i].end.to_string();
    }
    out += ']';
  }

  void operand(const Node& node, std::size_t i, std::uint32_t index, Precedence least, int depth) {
    if (i < node.operands.size()) {
      write(node.operands[i], index, least, depth);
    } else {
      out += "%?";
    }
  }

  bool is_constant(const Node& node, std::size_t i, std::uint32_t index) const {
    if (i >= node.operands.size() || node.operands[i].index >= index) return false;
    return graph_[node.operands[i]].op == Op::Constant && names_[node.operands[i].index].empty();
  }

  const Graph& graph_;
  std::vector<std::string> names_;
};

class GraphPrinter {
 public:
  explicit GraphPrinter(const Graph& graph)
      : graph_(graph),
        size_(static_cast<std::uint32_t>(graph.nodes.size())),
        writer_(graph),
        uses_(size_),
        cut_(size_) {}

  std::string print() {
    count_uses();
    cut_where_deep();
    write_head();
    for (const Statement& statement : graph_.statements) write_statement(statement);
    writer_.out += "}\n";
    return std::move(writer_.out);
  }

 private:
  // Counts the uses by statements and by values that a statement reaches. Operands precede their users, so one pass
  // from the back is enough.
  void count_uses() {
    for (const Statement& statement : graph_.statements) {
      if (statement.kind == Statement::Kind::Within) continue;
      if (statement.value.index < size_) ++uses_[statement.value.index];
    }
    for (std::uint32_t i = size_; i-- > 0;) {
      if (uses_[i] == 0) continue;
      for (const Value operand : graph_.nodes[i].operands) {
        if (operand.index < i) ++uses_[operand.index];
      }
    }
  }

  bool is_inline(std::uint32_t i) const {
    const Op op = graph_.nodes[i].op;
    return op == Op::Constant || is_declaration(graph_.nodes[i]) || (uses_[i] <= 1 && !cut_[i]);
  }

  void cut_where_deep() {
    std::vector<int> depth(size_, 0);
    for (std::uint32_t i = 0; i < size_; ++i) {
      for (const Value operand : graph_.nodes[i].operands) {
        if (operand.index < i && is_inline(operand.index)) depth[i] = std::max(depth[i], depth[operand.index] + 1);
      }
      cut_[i] = depth[i] >= kDeepest;
    }
  }

  void write_head() {
    std::string& out = writer_.out;
    out += std::string(graph_.kind_name()) + " " + graph_.name;
    for (std::size_t i = 0; i < graph_.dims.size(); ++i) out += (i == 0 ? "<" : ", ") + graph_.dims[i];
    out += graph_.dims.empty() ? " {\n" : "> {\n";
    bool declared = false;
    for (const Node& node : graph_.nodes) {
      if (!is_declaration(node)) continue;
      const std::string_view keyword = node.op == Op::Input ? "input" : node.op == Op::State ? "state" : "param";
      out += "  " + std::string(keyword) + " " + node.name + " : " + node.type.to_string(", ") + "\n";
      declared = true;
    }
    if (declared && !graph_.statements.empty()) out += '\n';
  }

  void write_statement(const Statement& statement) {
    if (statement.kind == Statement::Kind::Within) return write_range(statement);
    const bool binds = statement.kind != Statement::Kind::Output;
    const std::uint32_t root = statement.value.index;
    for (const std::uint32_t i : unnamed_below(root, binds)) {
      write_binding("%" + std::to_string(next_temporary_++), i);
    }
    if (!binds) {
      writer_.out += "  output " + (statement.name.empty() ? "" : statement.name + " = ");
      writer_.write(statement.value, size_, Precedence::Sum, 2 * kDeepest);
      writer_.out += '\n';
    } else {
      write_binding(statement.name + (statement.kind == Statement::Kind::Next ? "'" : ""), root);
    }
  }

  void write_range(const Statement& statement) {
    writer_.out += "  // ";
    writer_.write(statement.value, size_, Precedence::Sum, 2 * kDeepest);
    writer_.out += " is within " + number_text(statement.bound) + "\n";
  }

  void write_binding(const std::string& name, std::uint32_t root) {
    writer_.out += "  " + name + " = ";
    writer_.write(Value{root}, size_, Precedence::Sum, 2 * kDeepest);
    writer_.out += '\n';
    if (root < size_ && writer_.names()[root].empty()) writer_.names()[root] = name;
  }

  // Returns the values below the statement's expression that have no name yet and cannot be written inline, in order of
  // computation.
  std::vector<std::uint32_t> unnamed_below(std::uint32_t root, bool binds) {
    std::vector<std::uint32_t> found;
    std::vector<std::uint32_t> open;
    if (root < size_) open.push_back(root);
    while (!open.empty()) {
      const std::uint32_t i = open.back();
      open.pop_back();
      if (!writer_.names()[i].empty()) continue;
      if (!is_inline(i) && !(binds && i == root)) {
        if (seen_.size() != size_) seen_.resize(size_);
        if (seen_[i]) continue;
        seen_[i] = true;
        found.push_back(i);
      }
      for (const Value operand : graph_.nodes[i].operands) {
        if (operand.index < i) open.push_back(operand.index);
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  const Graph& graph_;
  std::uint32_t size_;
  Writer writer_;
  std::vector<std::uint64_t> uses_;
  std::vector<bool> cut_;   // gets a name although it is used once, since its expression nests deep
  std::vector<bool> seen_;  // has a name of the form %7, or gets one next
  int next_temporary_ = 0;
};

}  // namespace

std::string number_text(float value) {
  if (std::isnan(value)) return "nan";
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

std::string print(const Graph& graph) { return GraphPrinter(graph).print(); }

std::string print(const Module& module) {
  std::string text;
  for (const Cell& cell : module.cells) text += (text.empty() ? "" : "\n") + print(cell);
  for (const Network& network : module.networks) text += (text.empty() ? "" : "\n") + print(network);
  return text;
}

namespace {

Writer writer_with_names(const Graph& graph) {
  Writer writer(graph);
  for (const Statement& statement : graph.statements) {
    if (!names_value(statement) || statement.value.index >= graph.nodes.size()) continue;
    std::string& name = writer.names()[statement.value.index];
    if (name.empty()) name = statement.name + (statement.kind == Statement::Kind::Next ? "'" : "");
  }
  return writer;
}

std::string described(const Graph& graph, Value value, Writer& writer) {
  constexpr std::size_t kLongest = 60;
  writer.longest = kLongest;
  writer.out.clear();
  writer.write(value, static_cast<std::uint32_t>(graph.nodes.size()), Precedence::Sum, 16);
  if (writer.out.size() <= kLongest) return writer.out;
  return writer.out.substr(0, kLongest - 3) + "...";
}

}  // namespace

std::string describe(const Graph& graph, Value value) {
  Writer writer = writer_with_names(graph);
  return described(graph, value, writer);
}

std::vector<std::string> describe_all(const Graph& graph) {
  Writer writer = writer_with_names(graph);
  std::vector<std::string> texts;
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i) texts.push_back(described(graph, Value{i}, writer));
  return texts;
}

}  // namespace rnnc::ir
