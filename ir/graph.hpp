// Cells and networks are graphs: nodes in topological order, which are appended and never changed, and statements that
// name values, give states their next value, and choose the output. A pass copies a graph into a new one. A dim may be
// symbolic; bind_dims (verify.hpp) makes a graph with numbers, which can be run and compiled.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

#include "ir/dim.hpp"
#include "ir/op.hpp"
#include "ir/source_text.hpp"

namespace rnnc::ir {

/// The time of a `seq` that names none.
inline constexpr std::string_view kTime = "T";

/// The name of a first output that the text gives none.
inline constexpr std::string_view kFirstOutput = "y";

/// The type of a value: an f32 scalar (rank 0), vector (rank 1), or of rank 2 a matrix (parameters, their slices and
/// concatenations) or rows, vectors of one length that are computed in each step.
struct Type {
  std::vector<Dim> dims;
  std::string axis = {};  // in networks only: the time of a sequence; sequences of one time have equal lengths
  bool is_rows = false;   // rows rather than a matrix

  std::size_t rank() const { return dims.size(); }
  bool is_sequence() const { return !axis.empty(); }
  std::string sequence_text() const;                     // "", "seq " or "seq<S> "
  std::string to_string(const char* comma = ",") const;  // "f32", "f32[H]", "f32[4*H,I]", "seq f32[H]"
  friend bool operator==(const Type&, const Type&) = default;
};

/// Returns the number of elements of a value of a bound type; a scalar has 1.
std::int64_t elements(const Type& type);

/// Returns the shape of a value of a bound type.
Shape shape_of(const Type& type);

/// The index of a node in its graph.
struct Value {
  std::uint32_t index = 0;
  friend auto operator<=>(const Value&, const Value&) = default;
};

struct Range {
  Dim begin, end;
  friend bool operator==(const Range&, const Range&) = default;
};

struct Scan;  // scan.hpp

// Each op has these operands and this result:
//   Input, State, Param  none; `name` and `type` are declared
//   Constant  none; a scalar, `constant`
//   Slice     a vector or matrix; `ranges`, one for each leading dim that is cut
//   Concat    vectors end to end, or matrices of equal width one below the other; one operand or more
//   Matvec    f32[n,k] matrix, f32[k] vector -> f32[n]
//   Lookup    f32[n,k] matrix, scalar i -> its row i, f32[k]; a row of NaN where i is not an integer from 0 to n-1
//   Project   x f32[k], then pairs of a matrix f32[n_j,k] and a start (f32[n_j] or scalar) -> f32[sum of n_j]: element
//             by element a chain of fused multiply-adds, k ascending, that begins with the start
//   Map       `function` of as many operands as its row says; scalars spread, vectors agree in length
//   Reduce    `reduction`; operands as its row says
//   Hoist     identity on a scalar or vector that depends on no state: computed ahead of the recurrence
//   Quantize  x f32[k], scalar s -> the integers nearest to x * s, of 8 or 16 bits as the range's begin says; only a
//             Project reads them, whose matrices are integers too, of as many bits as the range's end says
// The elements of a Project of integers are start + scale of the row * sum of integers (docs/numerics.md).
// Values of a step may be rows, f32[p,n]. Where rows are an operand, a matrix is rows too. Slice and Concat take rows
// as they take matrices. The right operand of a Matvec may be rows: each is multiplied. Operands of a Map or Reduce
// with rows: a vector is the same in each row, rows of width 1 are a scalar of each row. A Reduce to a scalar gives
// f32[p,1].
//   Fill        a scalar -> f32[n] of it; n is the end of the range
//   Rows        `row_op`; the range has its dims: both, or one as the end
//     Split       f32[p*n] -> f32[p,n]; the dim is p
//     Flatten     f32[p,n] -> f32[p*n], row after row
//     Windows     (size, stride); f32[n] -> f32[(n-size)/stride+1, size], the parts of a vector that begin at multiples
//                 of the stride; f32[p,k] -> f32[(p-size)/stride+1, size*k], successive rows end to end
//     Pad         (before, after): so many zeros, or rows of zeros, around the operand
//     Reflect     as Pad, with the operand mirrored at its first and its last element or row, which are not repeated
//     Beside      rows of equal count -> rows that have the features of all, one operand or more
//     Sum, Mean, Max  over the rows, feature by feature, row 0 first: f32[p,n] -> f32[n]
// All of these apply to sequences of one time, step by step; an operand that is no sequence is the same at each step.
//   Scan        `scan`, `name`; arguments in order of the cell's inputs, then initial states -> what the cell gives
//   FinalState  a Scan; `name` "h" or, of two directions, "fwd.h" -> that state behind the last step of each sequence
//   OverTime    `over_time`; a sequence -> one value
struct Node {
  Op op = Op::Constant;
  Function function{};
  Reduction reduction{};
  RowOp row_op{};
  OverTime over_time{};
  float constant = 0;
  std::vector<Value> operands = {};
  std::vector<Range> ranges = {};
  std::shared_ptr<const Scan> scan = {};
  std::string name = {};
  Type type = {};
  Location location = {};
};

inline bool is_declaration(const Node& node) {
  return node.op == Op::Input || node.op == Op::State || node.op == Op::Param;
}

// A Within says that the elements of a vector stay within -bound to bound, as they did where a program measured them.
// No text has one: it comes from a file of ranges (docs/formats.md), and stays with its value from pass to pass.
struct Statement {
  enum class Kind : std::uint8_t { Let, Next, Output, Within };
  Kind kind = Kind::Let;
  // The name bound by Let, the state of Next, the name of an Output or "" where it has none, or of a Within the name
  // that the file has for the value.
  std::string name;
  Value value;
  Location location;
  float bound = std::numeric_limits<float>::infinity();  // of a Within
};

/// Tells whether a statement gives its value a name of the text.
inline bool names_value(const Statement& statement) {
  return statement.kind == Statement::Kind::Let || statement.kind == Statement::Kind::Next;
}

/// Tells whether a statement needs its value. A Let or a Within only speaks of a value that others may need.
inline bool needs_value(const Statement& statement) {
  return statement.kind == Statement::Kind::Next || statement.kind == Statement::Kind::Output;
}

struct NamedValue {
  std::string name;
  Value value;
};

struct Graph {
  enum class Kind : std::uint8_t { Cell, Network };
  Kind kind = Kind::Cell;
  std::string name;
  std::shared_ptr<const SourceText> source;  // for messages; null where there is none
  std::vector<std::string> dims;             // symbolic dims in order of declaration; empty once bound
  std::vector<Node> nodes;
  std::vector<Statement> statements;
  Location location;

  const Node& operator[](Value value) const { return nodes[value.index]; }
  Place place(Location at) const { return source ? source->place(at) : Place{"", at.line, at.column}; }
  std::string_view kind_name() const { return kind == Kind::Cell ? "cell" : "network"; }

  /// Appends a node whose type must follow from its operands (infer_type in verify.hpp). A node that does not check is
  /// a bug of the caller and an internal error. The parser and the public builder ask infer_type first.
  Value append(Node node);

  // These are shorthands of append, for passes.
  Value constant(float value);
  Value map(Function function, std::vector<Value> operands);
  Value reduce(Reduction reduction, std::vector<Value> operands);
  Value slice(Value vector, Dim begin, Dim end);
  Value concat(std::vector<Value> parts);  // a single part is the value itself

  Value output() const;  // the first one

  /// Returns every output in order: a cell has one, a network one or more.
  std::vector<NamedValue> outputs() const;
};

/// Tells whether a Project multiplies integers: a Quantize is its vector.
inline bool is_of_integers(const Graph& graph, const Node& project) {
  return graph[project.operands[0]].op == Op::Quantize;
}

/// Tells whether two graphs have the same kind, names, dims, statements, types and constants, and the same expression
/// behind each statement, in any order of the nodes and with any locations. NaN constants are equal.
bool equal(const Graph& a, const Graph& b);

}  // namespace rnnc::ir
