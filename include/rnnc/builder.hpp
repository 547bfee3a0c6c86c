// These classes build cells and networks in C++ with ordinary operators; text can say the same. A mistake never throws
// and never stops the calls: the first one is kept, and build() returns it.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include <rnnc/direction.hpp>
#include <rnnc/export.hpp>
#include <rnnc/model.hpp>
#include <rnnc/result.hpp>

namespace RNNC_API rnnc {

namespace ir {
class Dim;
}

struct BuilderGraph;  // a builder and its values share it

/// A dimension: a number, a name bound at compile time (CellBuilder::dim), or sums and products of them: `4 * H`.
class Dim {
 public:
  Dim(std::int64_t value);

  friend Dim operator+(const Dim& a, const Dim& b);
  friend Dim operator-(const Dim& a, const Dim& b);
  friend Dim operator*(const Dim& a, const Dim& b);

 private:
  friend struct BuilderGraph;
  explicit Dim(const ir::Dim& dim);
  std::shared_ptr<const ir::Dim> dim_;
};

class Value;

/// Applies the function, reduction or operator of the table that has this name and takes this many operands.
Value apply(std::string_view function, std::initializer_list<Value> operands);

/// A handle of a value of a cell or network, or a number that becomes a constant where it is used. The functions below
/// are found through their operands, so `tanh(v)` needs no qualification and never competes with that of <cmath>.
class Value {
 public:
  /// `a > b`, the condition of select.
  struct Comparison;

  Value() = default;  // no value yet; using it is a mistake that build() returns
  template <class T>
  requires std::is_arithmetic_v<T> Value(T number) : kind_(Kind::Number), number_(static_cast<float>(number)) {}

  friend Value operator+(const Value& a, const Value& b) { return apply("+", {a, b}); }
  friend Value operator-(const Value& a, const Value& b) { return apply("-", {a, b}); }
  friend Value operator*(const Value& a, const Value& b) { return apply("*", {a, b}); }
  friend Value operator/(const Value& a, const Value& b) { return apply("/", {a, b}); }
  friend Value operator-(const Value& a) { return apply("-", {a}); }
  friend Comparison operator>(const Value& a, const Value& b);

  friend Value matvec(const Value& matrix, const Value& vector);  // `W @ x`
  friend Value lookup(const Value& matrix, const Value& row);     // `lookup(E, i)`
  friend Value slice(const Value& v, const Dim& begin, const Dim& end);
  friend Value slice(const Value& matrix, const Dim& row_begin, const Dim& row_end, const Dim& begin, const Dim& end);
  friend Value concat(const Value& first, const std::convertible_to<Value> auto&... others) {
    return join({first, Value(others)...});
  }

  // Rows of a step: docs/language.md says what each does.
  friend Value rows(const Value& v, const Dim& count) { return shape("rows", v, {count}); }
  friend Value flatten(const Value& rows) { return shape("flatten", rows, {}); }
  friend Value windows(const Value& v, const Dim& size, const Dim& stride) {
    return shape("windows", v, {size, stride});
  }
  friend Value pad(const Value& v, const Dim& before, const Dim& after) { return shape("pad", v, {before, after}); }
  friend Value reflect(const Value& v, const Dim& before, const Dim& after) {
    return shape("reflect", v, {before, after});
  }
  friend Value beside(const Value& first, const std::convertible_to<Value> auto&... others) {
    return join_features({first, Value(others)...});
  }
  friend Value fill(const Value& scalar, const Dim& size);
  friend Value sum_rows(const Value& rows) { return shape("sum_rows", rows, {}); }
  friend Value mean_rows(const Value& rows) { return shape("mean_rows", rows, {}); }
  friend Value max_rows(const Value& rows) { return shape("max_rows", rows, {}); }

  friend Value sigmoid(const Value& x) { return apply("sigmoid", {x}); }
  friend Value tanh(const Value& x) { return apply("tanh", {x}); }
  friend Value relu(const Value& x) { return apply("relu", {x}); }
  friend Value exp(const Value& x) { return apply("exp", {x}); }
  friend Value log(const Value& x) { return apply("log", {x}); }
  friend Value sqrt(const Value& x) { return apply("sqrt", {x}); }
  friend Value rsqrt(const Value& x) { return apply("rsqrt", {x}); }
  friend Value abs(const Value& x) { return apply("abs", {x}); }
  friend Value min(const Value& a, const Value& b) { return apply("min", {a, b}); }
  friend Value max(const Value& a, const Value& b) { return apply("max", {a, b}); }
  friend Value erf(const Value& x) { return apply("erf", {x}); }
  friend Value softplus(const Value& x) { return apply("softplus", {x}); }
  friend Value softsign(const Value& x) { return apply("softsign", {x}); }
  friend Value silu(const Value& x) { return apply("silu", {x}); }
  friend Value gelu(const Value& x) { return apply("gelu", {x}); }
  friend Value elu(const Value& x, const Value& alpha) { return apply("elu", {x, alpha}); }
  friend Value leaky_relu(const Value& x, const Value& alpha) { return apply("leaky_relu", {x, alpha}); }
  friend Value thresholded_relu(const Value& x, const Value& alpha) { return apply("thresholded_relu", {x, alpha}); }
  friend Value scaled_tanh(const Value& x, const Value& alpha, const Value& beta) {
    return apply("scaled_tanh", {x, alpha, beta});
  }
  friend Value affine(const Value& x, const Value& alpha, const Value& beta) {
    return apply("affine", {x, alpha, beta});
  }
  friend Value hard_sigmoid(const Value& x, const Value& alpha, const Value& beta) {
    return apply("hard_sigmoid", {x, alpha, beta});
  }
  friend Value clip(const Value& x, const Value& low, const Value& high) { return apply("clip", {x, low, high}); }
  friend Value select(const Comparison& condition, const Value& x, const Value& y);

  // For a sequence, sum, mean and max are functions over time too.
  friend Value last(const Value& sequence) { return apply("last", {sequence}); }
  friend Value first(const Value& sequence) { return apply("first", {sequence}); }

  // The steps of each sequence, within its own length, in reverse order.
  friend Value turned(const Value& sequence) { return apply("turned", {sequence}); }

  friend Value sum(const Value& v) { return apply("sum", {v}); }
  friend Value mean(const Value& v) { return apply("mean", {v}); }
  friend Value max(const Value& v) { return apply("max", {v}); }
  friend Value argmax(const Value& v) { return apply("argmax", {v}); }
  friend Value softmax(const Value& v) { return apply("softmax", {v}); }
  friend Value layer_norm(const Value& x, const Value& gamma, const Value& beta, const Value& eps) {
    return apply("layer_norm", {x, gamma, beta, eps});
  }

 private:
  friend struct BuilderGraph;
  enum class Kind : std::uint8_t { None, Number, Node };

  static Value join(std::initializer_list<Value> parts);
  static Value join_features(std::initializer_list<Value> parts);
  static Value shape(std::string_view row_op, const Value& value, std::initializer_list<Dim> dims);

  Kind kind_ = Kind::None;
  float number_ = 0;
  std::uint32_t index_ = 0;
  std::shared_ptr<BuilderGraph> graph_;  // of a Node, and of a value that a mistake left without a node
};

struct Value::Comparison {
  Value a, b;
};

inline Value::Comparison operator>(const Value& a, const Value& b) { return {a, b}; }
inline Value select(const Value::Comparison& condition, const Value& x, const Value& y) {
  return apply("select", {condition.a, condition.b, x, y});
}

/// The calls that the builders of cells and of networks have in common.
class GraphBuilder {
 public:
  Dim dim(std::string_view name);

  /// A shape {} is a scalar, {n} a vector; {rows, columns} a matrix, of params only. The input of a network is one
  /// value for a whole sequence.
  Value input(std::string_view name, std::initializer_list<Dim> shape = {});
  Value param(std::string_view name, std::initializer_list<Dim> shape = {});

  /// Each of these returns the value it was given.
  Value let(std::string_view name, const Value& value);
  Value output(const Value& value);

  /// Returns the cell or network so far; a network comes with its cells. Errors: the first mistake of any call since
  /// construction; then the errors of ir::verify.
  Result<Model> build() const;

 protected:
  explicit GraphBuilder(std::string_view name);

  std::shared_ptr<BuilderGraph> graph_;
};

/// Builds one cell, statement by statement in the order of the calls:
///
///     rnnc::CellBuilder cell("rnn");
///     const rnnc::Dim I = cell.dim("I"), H = cell.dim("H");
///     const rnnc::Value x = cell.input("x", {I}), h = cell.state("h", {H});
///     const rnnc::Value W = cell.param("W", {H, I}), U = cell.param("U", {H, H}), b = cell.param("b", {H});
///     cell.output(cell.next("h", tanh(matvec(W, x) + matvec(U, h) + b)));
///     rnnc::Result<rnnc::Model> model = cell.build();
class CellBuilder : public GraphBuilder {
 public:
  explicit CellBuilder(std::string_view name) : GraphBuilder(name) {}

  Value state(std::string_view name, std::initializer_list<Dim> shape = {});

  /// Each of these returns the value it was given.
  Value next(std::string_view state, const Value& value);
  Value next(const Value& state, const Value& value);
};

struct ScanOptions {
  Direction direction = Direction::Forward;
  Merge merge = Merge::Concat;                // of two directions
  std::map<std::string, Dim> dims = {};       // the dims that follow neither from the arguments nor from weights
  std::string steps = {};                     // the time of the scan if no argument is a sequence
  std::map<std::string, Value> initial = {};  // "h", or "fwd.h" and "bwd.h" of two directions; others begin at 0
};

/// Builds one network, statement by statement in the order of the calls:
///
///     rnnc::NetworkBuilder network("tagger");
///     const rnnc::Value x = network.sequence("x", {40});
///     const rnnc::Value a = network.scan("a", "lstm", {x}, {.direction = rnnc::Direction::Bidirectional,
///                                                           .dims = {{"H", 64}}});
///     const rnnc::Value W = network.param("W", {10, 128});
///     network.output(softmax(matvec(W, last(a))));
///     rnnc::Result<rnnc::Model> model = network.build();
class NetworkBuilder : public GraphBuilder {
 public:
  explicit NetworkBuilder(std::string_view name);

  /// Scans find their cells by name in `cells`, then among the standard ones.
  NetworkBuilder(std::string_view name, const Model& cells);

  /// A network may have several outputs, each but the first with a name. Returns the value it was given.
  using GraphBuilder::output;
  Value output(std::string_view name, const Value& value);

  /// Sequences of one time have the same lengths.
  Value sequence(std::string_view name, std::initializer_list<Dim> shape = {}, std::string_view time = "T");

  /// Runs the cell over the arguments, one for each of its inputs. The names of its weights begin with `name`, as in
  /// `a.Wi`.
  Value scan(std::string_view name, std::string_view cell, std::initializer_list<Value> arguments,
             const ScanOptions& options = {});

  /// Returns a final state of a scan: "h", or "fwd.h" and "bwd.h" of two directions.
  Value final_state(const Value& scan, std::string_view state);
};

}  // namespace rnnc
