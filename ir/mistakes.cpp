#include "ir/mistakes.hpp"

#include "ir/print.hpp"

namespace rnnc::ir {

std::string Mistakes::is(std::size_t i) const {
  return describe(graph_, node_.operands[i]) + " is " + type(i).to_string();
}

std::string Mistakes::counted(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

Error Mistakes::error(ErrorCode code, std::string message) const {
  return {code, graph_.place(node_.location), std::move(message)};
}

Error Mistakes::mismatch(std::string message, std::initializer_list<std::size_t> operands) const {
  Error result = error(ErrorCode::ShapeMismatch, std::move(message));
  for (const std::size_t i : operands) {
    Note note;
    if (find_origin(node_.operands[i], note)) result.notes.push_back(std::move(note));
  }
  return result;
}

Error Mistakes::wrong_count(const std::string& what, const std::string& wanted) const {
  return error(ErrorCode::ShapeMismatch, what + " takes " + wanted + ", not " + std::to_string(node_.operands.size()));
}

Error Mistakes::matrix_misused(std::size_t i) const {
  return mismatch("a matrix can only be multiplied with a vector (W @ x), looked up, sliced or joined: " + is(i), {i});
}

// Finds the place where an operand got its name.
bool Mistakes::find_origin(Value value, Note& note) const {
  const Node& operand = graph_[value];
  std::string name = is_declaration(operand) ? operand.name : "";
  Location location = operand.location;
  std::string how = " declared here";
  for (std::size_t i = 0; name.empty() && i < graph_.statements.size(); ++i) {
    const Statement& statement = graph_.statements[i];
    if (statement.value != value || !names_value(statement)) continue;
    name = statement.name + (statement.kind == Statement::Kind::Next ? "'" : "");
    location = statement.location;
    how = " defined here";
  }
  if (name.empty() || location.line == 0) return false;
  note = {graph_.place(location), name + how};
  return true;
}

}  // namespace rnnc::ir
