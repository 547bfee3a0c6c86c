// This file checks that a whole graph is well formed; infer_type.cpp checks the types of single nodes.
#include "ir/verify.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "ir/scan.hpp"
#include "ir/syntax.hpp"

namespace rnnc::ir {

namespace {

// A check that fails throws this, which verify() turns into its Result.
struct Fault {
  Error error;
};

class Verifier {
 public:
  explicit Verifier(const Graph& graph) : graph_(graph), kind_(graph.kind_name()) {}

  void run() {
    if (graph_.nodes.size() > kMaxNodes) {
      fail(ErrorCode::Limit, graph_.location, kind_ + " " + graph_.name + " has more than 1000000 nodes");
    }
    check_names();
    check_nodes();
    check_rows();
    check_statements();
  }

 private:
  void check_names() {
    if (!is_name(graph_.name)) bad_name(graph_.location, graph_.name);
    for (const std::string& dim : graph_.dims) {
      if (!is_name(dim)) bad_name(graph_.location, dim);
      if (!dims_.insert(dim).second) {
        fail(ErrorCode::Name, graph_.location, "dim " + dim + " is declared twice");
      }
    }
    for (const Node& node : graph_.nodes)
      if (is_declaration(node)) declare(node.name, node.location);
    for (const Statement& statement : graph_.statements)
      if (statement.kind == Statement::Kind::Let) declare(statement.name, statement.location);
  }

  void declare(const std::string& name, Location location) {
    const bool is_word = graph_.kind == Graph::Kind::Network && is_network_word(name);
    if (is_word || !is_name(name)) bad_name(location, name);
    const auto [first, added] = names_.try_emplace(name, location);
    if (added) return;
    fail(ErrorCode::Name, location, name + " is defined twice", note(first->second, "first defined here"));
  }

  void check_nodes() {
    std::vector<bool> on_state(graph_.nodes.size());  // depends on a state
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      bool depends = node.op == Op::State;
      for (const Value operand : node.operands) {
        if (operand.index >= i) {
          fail(ErrorCode::InvalidModel, node.location,
               "node " + std::to_string(i) + " uses node " + std::to_string(operand.index) +
                   ", which does not come before it");
        }
        depends = depends || on_state[operand.index];
      }
      on_state[i] = depends;
      if (depends && node.op == Op::Hoist) {
        fail(ErrorCode::InvalidModel, node.location,
             "hoist takes a value that depends on no state; this one changes with every step");
      }
      check_kind(node);
      if (node.op == Op::Scan && node.scan) {
        for (const std::string& dim : node.scan->cell->dims) dims_.insert(node.name + "." + dim);
      }
      check_type(node);
      const bool again =
          node.op == Op::Scan && !scans_.try_emplace(node.name, Value{static_cast<std::uint32_t>(i)}).second;
      if (again) fail(ErrorCode::Name, node.location, node.name + " is defined twice");
    }
  }

  // Each row is computed by nodes of its own, and rows that are joined to windows are operands one by one.
  void check_rows() {
    std::int64_t rows = 0;
    const auto count = [](const Type& type) {
      return type.is_rows && type.dims[0].is_constant() ? type.dims[0].value() : 0;
    };
    for (const Node& node : graph_.nodes) {
      std::int64_t own = count(node.type);
      for (const Value operand : node.operands) own = std::max(own, count(graph_[operand].type));
      const bool joins =
          node.op == Op::Rows && node.row_op == RowOp::Windows && count(graph_[node.operands[0]].type) > 0;
      if (joins && node.ranges[0].begin.is_constant()) own *= node.ranges[0].begin.value();
      rows += own;
      if (rows <= static_cast<std::int64_t>(kMaxNodes)) continue;
      fail(ErrorCode::Limit, node.location, kind_ + " " + graph_.name + " computes more than 1000000 rows in a step");
    }
  }

  void check_kind(const Node& node) {
    const bool in_network = graph_.kind == Graph::Kind::Network;
    if (in_network && node.op == Op::State) {
      fail(ErrorCode::InvalidModel, node.location,
           "a network has no states of its own, but the cells that it scans have");
    }
    const bool of_network = node.op == Op::Scan || node.op == Op::FinalState || node.op == Op::OverTime;
    if (in_network || !of_network) return;
    fail(ErrorCode::InvalidModel, node.location, "a cell is one step, but this op is one over time");
  }

  void check_type(const Node& node) {
    const Result<Type> type = infer_type(graph_, node);
    if (!type) throw Fault{type.error()};
    if (*type != node.type) {
      fail(ErrorCode::InvalidModel, node.location,
           "node says " + node.type.to_string() + " but computes " + type->to_string());
    }
    for (const Dim& dim : node.type.dims) check_dim(dim, node.location);
    if (node.op == Op::Scan)
      for (const auto& [name, dim] : node.scan->dims) check_dim(dim, node.location);
    for (const Range& range : node.ranges) {
      check_dim(range.begin, node.location);
      check_dim(range.end, node.location);
    }
  }

  void check_dim(const Dim& dim, Location location) {
    if (dim.is_constant()) return;
    for (const std::string& symbol : dim.symbols()) {
      if (dims_.count(symbol) == 0) {
        fail(ErrorCode::Name, location, kind_ + " " + graph_.name + " has no dim " + symbol);
      }
    }
  }

  void check_statements() {
    std::unordered_map<std::string, const Statement*> next;
    for (const Statement& statement : graph_.statements) {
      if (statement.value.index >= graph_.nodes.size()) {
        fail(ErrorCode::InvalidModel, statement.location, "statement names no node");
      }
      if (statement.kind == Statement::Kind::Next) {
        if (!next.try_emplace(statement.name, &statement).second) {
          fail(ErrorCode::Name, statement.location, statement.name + "' is defined twice");
        }
      } else if (statement.kind == Statement::Kind::Let) {
        const auto scan = scans_.find(statement.name);
        if (scan != scans_.end() && scan->second == statement.value) scans_.erase(scan);
      }
    }
    if (!scans_.empty()) {
      fail(ErrorCode::InvalidModel, graph_[scans_.begin()->second].location,
           "no statement names the scan " + scans_.begin()->first);
    }
    check_states(next);
    check_outputs();
  }

  void check_states(std::unordered_map<std::string, const Statement*>& next) {
    for (const Node& node : graph_.nodes) {
      if (node.op != Op::State) continue;
      const auto found = next.find(node.name);
      if (found == next.end()) {
        fail(ErrorCode::InvalidModel, node.location,
             "state " + node.name + " has no next value; add " + node.name + "' = ...");
      }
      const Statement& statement = *found->second;
      const Type& type = graph_[statement.value].type;
      if (type != node.type) {
        fail(ErrorCode::ShapeMismatch, statement.location,
             "shape mismatch: " + node.name + "' is " + type.to_string() + " but the state " + node.name + " is " +
                 node.type.to_string(),
             note(node.location, node.name + " declared here"));
      }
      next.erase(found);
    }
    if (next.empty()) return;
    fail(ErrorCode::Name, next.begin()->second->location, next.begin()->first + "' is the next value of no state");
  }

  void check_outputs() {
    std::map<std::string, const Statement*> outputs;
    for (const Statement& statement : graph_.statements) {
      if (statement.kind != Statement::Kind::Output) continue;
      check_output_name(statement, outputs);
      const Type& type = graph_[statement.value].type;
      if (type.rank() < 2) continue;
      fail(ErrorCode::ShapeMismatch, statement.location,
           (statement.name.empty() ? "the output" : "output " + statement.name) +
               " must be a vector or a scalar, not " + type.to_string() +
               (type.is_rows ? "; flatten(...) makes a vector of rows" : ""));
    }
    if (!outputs.empty()) return;
    fail(ErrorCode::InvalidModel, graph_.location,
         kind_ + " " + graph_.name + " has no output; add output ... at its end");
  }

  // The names of outputs are their own: an output may have the name of a value, of an input or of a time, since callers
  // name each of these at a place of its own.
  void check_output_name(const Statement& statement, std::map<std::string, const Statement*>& outputs) {
    const bool in_network = graph_.kind == Graph::Kind::Network;
    const bool is_named = !statement.name.empty();
    if (!in_network && !outputs.empty())
      fail(ErrorCode::InvalidModel, statement.location, "a cell has one output; concat(a, b) joins several values");
    if (!in_network && is_named)
      fail(ErrorCode::InvalidModel, statement.location,
           "the output of a cell has no name; leave out " + statement.name + " =");
    if (is_named && (is_network_word(statement.name) || !is_name(statement.name)))
      bad_name(statement.location, statement.name);
    if (!is_named && !outputs.empty())
      fail(ErrorCode::InvalidModel, statement.location,
           "every output but the first needs a name, as in output energy = ...; concat(a, b) joins several values to "
           "one output");
    const std::string name = is_named ? statement.name : std::string(kFirstOutput);
    const auto [first, added] = outputs.try_emplace(name, &statement);
    if (added) return;
    fail(ErrorCode::Name, statement.location,
         first->second->name.empty()
             ? "the first output has no name and is y; give it a name, or take another one than y here"
             : "there are two outputs " + name + "; give one of them another name",
         note(first->second->location, "output " + name + " here"));
  }

  [[noreturn]] void bad_name(Location location, const std::string& name) const {
    fail(ErrorCode::Name, location, "'" + name.substr(0, 40) + "' is not a name");
  }

  // Returns a note if the location is known.
  std::vector<Note> note(Location location, const std::string& message) const {
    return location.line > 0 ? std::vector<Note>{{graph_.place(location), message}} : std::vector<Note>();
  }

  [[noreturn]] void fail(ErrorCode code, Location location, std::string message, std::vector<Note> notes = {}) const {
    throw Fault{{code, graph_.place(location), std::move(message), std::move(notes)}};
  }

  const Graph& graph_;
  std::string kind_;
  std::unordered_set<std::string> dims_;
  std::unordered_map<std::string, Location> names_;
  std::map<std::string, Value> scans_;  // scans that no statement has named yet
};

}  // namespace

Result<void> verify(const Graph& graph) try {
  Verifier(graph).run();
  return {};
} catch (Fault& fault) {
  return std::move(fault.error);
}

}  // namespace rnnc::ir
