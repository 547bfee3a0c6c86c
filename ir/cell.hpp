// The graph of one step of one cell: nodes in topological order, appended and never changed, and the statements that
// name values, give states their next value, and choose the output. Passes copy forward into a new graph.
// A dim may be symbolic; bind_dims (verify.hpp) makes a graph with numbers, which is what runs and compiles.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/dim.hpp"
#include "ir/op.hpp"

namespace rnnc::ir {

/// Where in the text a node or statement came from; line 0 where it came from a builder or a pass.
struct Location {
  int line = 0;
  int column = 0;
};

/// f32 scalar (rank 0), vector (rank 1) or matrix (rank 2: parameters, their slices and concatenations only).
struct Type {
  std::vector<Dim> dims;

  std::size_t rank() const { return dims.size(); }
  std::string to_string() const;  // "f32", "f32[H]", "f32[4*H,I]"
  friend bool operator==(const Type&, const Type&) = default;
};

/// The index of a node in its cell.
struct Value {
  std::uint32_t index = 0;
  friend auto operator<=>(const Value&, const Value&) = default;
};

struct Range {
  Dim begin, end;
  friend bool operator==(const Range&, const Range&) = default;
};

// Operands and result of each op:
//   Input, State, Param  none; `name` and `type` are declared
//   Constant  none; a scalar, `constant`
//   Slice     a vector or matrix; `ranges`, one for each leading dim that is cut
//   Concat    vectors end to end, or matrices of equal width one below the other; one operand or more
//   Matvec    f32[n,k] matrix, f32[k] vector -> f32[n]
//   Project   x f32[k], then pairs of a matrix f32[n_j,k] and a start (f32[n_j] or scalar) -> f32[sum of n_j]: element
//             by element a chain of fused multiply-adds, k ascending, that begins with the start
//   Map       `function` of as many operands as its row says; scalars spread, vectors agree in length
//   Reduce    `reduction`; operands as its row says
//   Hoist     identity on a scalar or vector that depends on no state: computed ahead of the recurrence
struct Node {
  Op op = Op::Constant;
  Function function{};
  Reduction reduction{};
  float constant = 0;
  std::vector<Value> operands;
  std::vector<Range> ranges;
  std::string name;
  Type type;
  Location location;
};

inline bool is_declaration(const Node& node) {
  return node.op == Op::Input || node.op == Op::State || node.op == Op::Param;
}

struct Statement {
  enum class Kind : std::uint8_t { Let, Next, Output };
  Kind kind = Kind::Let;
  std::string name;  // the name bound by Let, the state of Next
  Value value;
  Location location;
};

struct Cell {
  std::string name;
  std::string file;               // for messages; "" where there is none
  std::vector<std::string> dims;  // symbolic dims in order of declaration; empty once bound
  std::vector<Node> nodes;
  std::vector<Statement> statements;
  Location location;

  const Node& operator[](Value value) const { return nodes[value.index]; }

  /// Appends a node whose type must follow from its operands (infer_type in verify.hpp). A node that does not check is
  /// a bug of the caller's: internal error. The parser and the public builder ask infer_type first.
  Value append(Node node);

  // Shorthands of append for passes.
  Value constant(float value);
  Value map(Function function, std::vector<Value> operands);
  Value reduce(Reduction reduction, std::vector<Value> operands);
  Value slice(Value vector, Dim begin, Dim end);

  Value next_of(const std::string& state) const;  // the value that the state's Next statement names
  Value output() const;
};

/// Same names, dims, statements, types and constants, and the same expression behind each statement, whatever the order
/// and the locations of the nodes. NaN constants are equal.
bool equal(const Cell& a, const Cell& b);

/// What a file holds. Networks will stand beside the cells.
struct Module {
  std::string file;
  std::vector<Cell> cells;

  const Cell* find(const std::string& name) const;
};

}  // namespace rnnc::ir
