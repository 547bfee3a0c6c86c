#include "compiler/inspect/dot.hpp"

#include <map>
#include <set>

#include <rnnc/join.hpp>

#include "compiler/inspect/print_network.hpp"
#include "compiler/schedule/stage_flow.hpp"
#include "ir/print.hpp"
#include "ir/scan.hpp"
#include "ir/syntax.hpp"

namespace rnnc::compiler {
namespace {

using ir::Node;
using ir::Op;

constexpr const char *kInput = "#cfe3ff", *kState = "#ffe2b3", *kParam = "#e8e8e8", *kOutput = "#d3f2d3";

std::string colour_of(const Node& node) {
  return node.op == Op::Input ? kInput : node.op == Op::State ? kState : node.op == Op::Param ? kParam : "";
}

class Drawing {
 public:
  explicit Drawing(const std::string& name) {
    text_ = "digraph " + quoted(name) + " {\n  node [shape=box, fontname=\"monospace\"];\n";
  }

  static std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') result += '\\';
      if (c == '\n')
        result += "\\n";
      else
        result += c;
    }
    return result + "\"";
  }

  void node(const std::string& id, const std::string& label, const std::string& shape = "",
            const std::string& colour = "") {
    const std::string filled = colour.empty() ? "" : ", style=filled, fillcolor=" + quoted(colour);
    text_ +=
        indent_ + quoted(id) + " [label=" + quoted(label) + (shape.empty() ? "" : ", shape=" + shape) + filled + "];\n";
  }
  // The edges of states lead back to the next step, and so do not decide what stands above what.
  void edge(const std::string& from, const std::string& to, const std::string& label = "", bool dashed = false) {
    std::string attributes = label.empty() ? "" : "label=" + quoted(label);
    if (dashed) attributes += std::string(attributes.empty() ? "" : ", ") + "style=dashed, constraint=false";
    text_ += indent_ + quoted(from) + " -> " + quoted(to) + (attributes.empty() ? "" : " [" + attributes + "]") + ";\n";
  }
  void begin_cluster(const std::string& name) {
    text_ += "  subgraph " + quoted("cluster_" + name) + " {\n    label=" + quoted(name) + ";\n";
    indent_ = "    ";
  }
  void end_cluster() {
    text_ += "  }\n";
    indent_ = "  ";
  }
  std::string finish() { return text_ + "}\n"; }

 private:
  std::string text_, indent_ = "  ";
};

std::string ranges_of(const Node& node) {
  const auto text = [](const ir::Range& range) { return range.begin.to_string() + ":" + range.end.to_string(); };
  return "[" + join(node.ranges, text) + "]";
}

std::string operation_of(const ir::Graph& graph, const Node& node) {
  switch (node.op) {
    case Op::Input: return "input " + node.name;
    case Op::State: return "state " + node.name;
    case Op::Param: return "param " + node.name;
    case Op::Constant: return ir::describe(graph, ir::Value{static_cast<std::uint32_t>(&node - graph.nodes.data())});
    case Op::Slice: return ranges_of(node);
    case Op::Matvec: return "@";
    case Op::Concat:
    case Op::Lookup:
    case Op::Project:
    case Op::Hoist:
    case Op::Fill:
    case Op::Quantize: return std::string(ir::call_name(node.op));
    case Op::Rows: return std::string(ir::facts(node.row_op).name);
    case Op::Map: return std::string(ir::facts(node.function).name);
    case Op::Reduce: return std::string(ir::facts(node.reduction).name);
    case Op::Scan: return node.name + " = " + node.scan->cell->name;
    case Op::FinalState: return "." + node.name;
    case Op::OverTime: return std::string(ir::facts(node.over_time).name);
  }
  return "";
}

// Tells whether an edge carries a state: a scan's last operands begin its states, and a final state reads a scan.
bool is_state_edge(const Node& node, std::size_t operand) {
  return node.op == Op::FinalState || (node.op == Op::Scan && operand >= node.scan->arguments(node));
}

std::map<ir::Value, std::string> names_of(const ir::Graph& graph) {
  std::map<ir::Value, std::string> names;
  for (const ir::Statement& statement : graph.statements)
    if (statement.kind == ir::Statement::Kind::Let) names.emplace(statement.value, statement.name);
  return names;
}

// Lists the nodes that some statement needs, and all declarations, since the text has those too.
std::set<std::uint32_t> drawn(const ir::Graph& graph) {
  std::set<std::uint32_t> result;
  std::vector<std::uint32_t> pending;
  for (const ir::Statement& statement : graph.statements) pending.push_back(statement.value.index);
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i)
    if (ir::is_declaration(graph.nodes[i])) pending.push_back(i);
  while (!pending.empty()) {
    const std::uint32_t i = pending.back();
    pending.pop_back();
    if (!result.insert(i).second) continue;
    for (const ir::Value operand : graph.nodes[i].operands) pending.push_back(operand.index);
  }
  return result;
}

std::string id_of(ir::Value value) { return "n" + std::to_string(value.index); }

}  // namespace

std::string dot_of(const ir::Graph& graph) {
  Drawing drawing(graph.name);
  const auto names = names_of(graph);
  for (const std::uint32_t i : drawn(graph)) {
    const Node& node = graph.nodes[i];
    const ir::Value value{i};
    const auto name = names.find(value);
    const bool is_scan = node.op == Op::Scan;  // its operation has the name
    const std::string prefix = name == names.end() || is_scan ? "" : name->second + " = ";
    const bool computes = !ir::is_declaration(node) && !is_scan;
    drawing.node(id_of(value), prefix + operation_of(graph, node) + "\n" + node.type.to_string(),
                 computes ? "ellipse" : "", colour_of(node));
    for (std::size_t j = 0; j < node.operands.size(); ++j)
      drawing.edge(id_of(node.operands[j]), id_of(value), "", is_state_edge(node, j));
  }
  for (const ir::Statement& statement : graph.statements) {
    if (statement.kind == ir::Statement::Kind::Output) {
      const std::string title = statement.name.empty() ? "output" : "output " + statement.name;
      drawing.node(title, title, "", kOutput);
      drawing.edge(id_of(statement.value), title);
    }
    for (std::uint32_t i = 0; i < graph.nodes.size() && statement.kind == ir::Statement::Kind::Next; ++i)
      if (graph.nodes[i].op == Op::State && graph.nodes[i].name == statement.name)
        drawing.edge(id_of(statement.value), id_of({i}), statement.name + "'", true);
  }
  return drawing.finish();
}

namespace {

std::string stage_id(std::size_t stage) { return "stage" + std::to_string(stage); }

std::string stage_label(const Plan& plan, const Schedule& schedule, std::size_t s) {
  const Stage& stage = schedule.stages[s];
  std::string label = "stage " + std::to_string(s) + ": " + std::to_string(stage.units) + " units";
  for (const ir::Value product : stage.products) {
    const Panel& panel = plan.panel(product);
    label += "\n" + std::to_string(panel.gates) + " x [" + std::to_string(panel.units) + ", " +
             std::to_string(panel.columns) + "]";
  }
  for (const ReductionStep& reduction : stage.reductions)
    label += "\n" + std::string(ir::facts(schedule.cell[reduction.node].reduction).name);
  return label + "\n" + print(choice_of(s, plan.stages[s]));
}

// Parameters are left out, since every stage has some and they would hide the edges between stages.
std::string origin_of(const Read& read) {
  switch (read.from) {
    case Read::From::Input: return "input " + read.name;
    case Read::From::State: return "state " + read.name;
    case Read::From::Param: return "";
    case Read::From::Stage: return stage_id(read.stage);
  }
  return "";
}

std::string label_of(const Read& read) {
  const std::string name = read.from == Read::From::Stage ? read.name : "";
  return (name.empty() ? "" : name + " ") + std::to_string(read.size) + (read.in_product ? " @" : "");
}

}  // namespace

std::string dot_of(const Plan& plan, const Schedule& schedule) {
  Drawing drawing(schedule.cell.name);
  const std::vector<StageFlow> flows = flow_of(schedule);
  for (const Node& node : schedule.cell.nodes)
    if (node.op == Op::Input || node.op == Op::State)
      drawing.node(operation_of(schedule.cell, node), operation_of(schedule.cell, node) + "\n" + node.type.to_string(),
                   "ellipse", colour_of(node));
  drawing.node("y", "y", "ellipse", kOutput);
  for (const Phase phase : {Phase::Once, Phase::Sequence, Phase::Step}) {
    drawing.begin_cluster(std::string(name(phase)));
    for (std::size_t s = 0; s < schedule.stages.size(); ++s)
      if (schedule.stages[s].phase == phase) drawing.node(stage_id(s), stage_label(plan, schedule, s));
    drawing.end_cluster();
  }
  for (std::size_t s = 0; s < flows.size(); ++s) {
    for (const Read& read : flows[s].reads)
      if (const std::string from = origin_of(read); !from.empty()) drawing.edge(from, stage_id(s), label_of(read));
    for (const std::string& state : flows[s].states) drawing.edge(stage_id(s), "state " + state, state + "'", true);
    if (flows[s].output) drawing.edge(stage_id(s), "y");
  }
  return drawing.finish();
}

std::string dot_of(const CallList& list, const ir::Network& network) {
  Drawing drawing(network.name);
  const std::vector<std::string> writers = writers_of(list);
  for (const Buffer& buffer : list.buffers)
    if (!buffer.input.empty())
      drawing.node("input " + buffer.input, "input " + buffer.input + "\n" + std::to_string(buffer.width), "ellipse",
                   kInput);
  for (std::size_t i = 0; i < list.calls.size(); ++i) drawing.node("call " + std::to_string(i), text_of(list.calls[i]));
  for (const CallOutput& output : list.outputs) drawing.node(title_of(output), title_of(output), "ellipse", kOutput);
  const auto draw = [&](const Row& row, const std::string& to, const std::string& label, bool dashed) {
    for (const Columns& columns : row) {
      const std::string width = std::to_string(columns.end - columns.begin);
      drawing.edge(writers[columns.buffer], to, label.empty() ? width : label + " " + width,
                   dashed || is_final_state(list, columns.buffer));
    }
  };
  for (std::size_t i = 0; i < list.calls.size(); ++i) {
    const std::string to = "call " + std::to_string(i);
    if (const auto* time = std::get_if<TimeCall>(&list.calls[i])) {
      draw(time->x, to, "", false);
      continue;
    }
    const auto& cell = std::get<CellCall>(list.calls[i]);
    draw(cell.x, to, "", false);
    for (const auto& [state, row] : cell.initial) draw(row, to, state, true);
    for (const Node& node : cell.cell.nodes)  // an edge from each step to the next
      if (node.op == Op::State) drawing.edge(to, to, node.name, true);
  }
  for (const CallOutput& output : list.outputs) draw(output.row, title_of(output), "", false);
  return drawing.finish();
}

}  // namespace rnnc::compiler
