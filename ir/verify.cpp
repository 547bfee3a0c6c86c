// Well-formedness of a whole cell; the types of single nodes are infer_type.cpp's.
#include "ir/verify.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "ir/syntax.hpp"

namespace rnnc::ir {

namespace {

class Verifier {
 public:
  explicit Verifier(const Cell& cell) : cell_(cell) {}

  Result<void> run() {
    if (cell_.nodes.size() > kMaxNodes) {
      return error(ErrorCode::Limit, cell_.location, "cell " + cell_.name + " has more than 1000000 nodes");
    }
    if (Result<void> names = check_names(); !names) return names;
    if (Result<void> nodes = check_nodes(); !nodes) return nodes;
    return check_statements();
  }

 private:
  Result<void> check_names() {
    if (!is_name(cell_.name)) return bad_name(cell_.location, cell_.name);
    for (const std::string& dim : cell_.dims) {
      if (!is_name(dim)) return bad_name(cell_.location, dim);
      if (!dims_.insert(dim).second) {
        return error(ErrorCode::Name, cell_.location, "dim " + dim + " is declared twice");
      }
    }
    for (const Node& node : cell_.nodes) {
      if (!is_declaration(node)) continue;
      if (Result<void> result = declare(node.name, node.location); !result) return result;
    }
    for (const Statement& statement : cell_.statements) {
      if (statement.kind != Statement::Kind::Let) continue;
      if (Result<void> result = declare(statement.name, statement.location); !result) return result;
    }
    return {};
  }

  Result<void> declare(const std::string& name, Location location) {
    if (!is_name(name)) return bad_name(location, name);
    const auto [first, added] = names_.try_emplace(name, location);
    if (added) return {};
    Error twice = error(ErrorCode::Name, location, name + " is defined twice");
    if (first->second.line > 0) twice.notes.push_back({place(first->second), "first defined here"});
    return twice;
  }

  Result<void> check_nodes() {
    std::vector<bool> on_state(cell_.nodes.size());  // depends on a state
    for (std::size_t i = 0; i < cell_.nodes.size(); ++i) {
      const Node& node = cell_.nodes[i];
      bool depends = node.op == Op::State;
      for (const Value operand : node.operands) {
        if (operand.index >= i) {
          return error(ErrorCode::InvalidModel, node.location,
                       "node " + std::to_string(i) + " uses node " + std::to_string(operand.index) +
                           ", which does not come before it");
        }
        depends = depends || on_state[operand.index];
      }
      on_state[i] = depends;
      if (depends && node.op == Op::Hoist) {
        return error(ErrorCode::InvalidModel, node.location,
                     "hoist takes a value that depends on no state; this one changes with every step");
      }
      if (Result<void> result = check_type(node); !result) return result;
    }
    return {};
  }

  Result<void> check_type(const Node& node) {
    const Result<Type> type = infer_type(cell_, node);
    if (!type) return type.error();
    if (*type != node.type) {
      return error(ErrorCode::InvalidModel, node.location,
                   "node says " + node.type.to_string() + " but computes " + type->to_string());
    }
    for (const Dim& dim : node.type.dims) {
      if (Result<void> result = check_dim(dim, node.location); !result) return result;
    }
    for (const Range& range : node.ranges) {
      if (Result<void> result = check_dim(range.begin, node.location); !result) return result;
      if (Result<void> result = check_dim(range.end, node.location); !result) return result;
    }
    return {};
  }

  Result<void> check_dim(const Dim& dim, Location location) {
    if (dim.is_constant()) return {};
    for (const std::string& symbol : dim.symbols()) {
      if (dims_.count(symbol) == 0) {
        return error(ErrorCode::Name, location, "cell " + cell_.name + " has no dim " + symbol);
      }
    }
    return {};
  }

  Result<void> check_statements() {
    std::unordered_map<std::string, const Statement*> next;
    const Statement* output = nullptr;
    for (const Statement& statement : cell_.statements) {
      if (statement.value.index >= cell_.nodes.size()) {
        return error(ErrorCode::InvalidModel, statement.location, "statement names no node");
      }
      if (statement.kind == Statement::Kind::Next) {
        if (!next.try_emplace(statement.name, &statement).second) {
          return error(ErrorCode::Name, statement.location, statement.name + "' is defined twice");
        }
      } else if (statement.kind == Statement::Kind::Output) {
        if (output) return error(ErrorCode::InvalidModel, statement.location, "a cell has one output");
        output = &statement;
      }
    }
    if (Result<void> result = check_states(next); !result) return result;
    return check_output(output);
  }

  Result<void> check_states(std::unordered_map<std::string, const Statement*>& next) {
    for (const Node& node : cell_.nodes) {
      if (node.op != Op::State) continue;
      const auto found = next.find(node.name);
      if (found == next.end()) {
        return error(ErrorCode::InvalidModel, node.location,
                     "state " + node.name + " has no next value; add " + node.name + "' = ...");
      }
      const Statement& statement = *found->second;
      const Type& type = cell_[statement.value].type;
      if (type != node.type) {
        Error wrong = error(ErrorCode::ShapeMismatch, statement.location,
                            "shape mismatch: " + node.name + "' is " + type.to_string() + " but the state " +
                                node.name + " is " + node.type.to_string());
        if (node.location.line > 0) wrong.notes.push_back({place(node.location), node.name + " declared here"});
        return wrong;
      }
      next.erase(found);
    }
    if (next.empty()) return {};
    return error(ErrorCode::Name, next.begin()->second->location,
                 next.begin()->first + "' is the next value of no state");
  }

  Result<void> check_output(const Statement* output) {
    if (!output) {
      return error(ErrorCode::InvalidModel, cell_.location,
                   "cell " + cell_.name + " has no output; add output ... at its end");
    }
    const Type& type = cell_[output->value].type;
    if (type.rank() < 2) return {};
    return error(ErrorCode::ShapeMismatch, output->location,
                 "the output must be a vector or a scalar, not " + type.to_string());
  }

  Error bad_name(Location location, const std::string& name) const {
    return error(ErrorCode::Name, location, "'" + name.substr(0, 40) + "' is not a name");
  }

  Place place(Location location) const { return {cell_.file, location.line, location.column}; }

  Error error(ErrorCode code, Location location, std::string message) const {
    return {code, place(location), std::move(message), {}};
  }

  const Cell& cell_;
  std::unordered_set<std::string> dims_;
  std::unordered_map<std::string, Location> names_;
};

}  // namespace

Result<void> verify(const Cell& cell) { return Verifier(cell).run(); }

}  // namespace rnnc::ir
