// The reverse sweep goes through a graph from its last node to its first and appends the cotangents to the same graph:
// that of a value is the derivative of a sum of outputs, weighted by the cotangents of the outputs, by the value. The
// result is no cell yet: cell_gradient.cpp and network_gradient.cpp cut it into programs.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph.hpp"

namespace rnnc::compiler {

/// Rows and columns of a parameter; a vector has one column, a scalar one element.
struct Window {
  std::int64_t row = 0, rows = 1, column = 0, columns = 1;
};

/// A term is what one step adds to the gradient of a window of a parameter.
struct Term {
  enum class Kind : std::uint8_t {
    Sum,       // `left`, which has the elements of the window in row-major order
    Product,   // left^T right: `left` is f32[rows] and `right` f32[columns]; or rows of these, whose products are added
    LookedUp,  // row `right` of the window, a scalar, has the cotangent `left`, f32[columns]
  };
  Kind kind = Kind::Sum;
  ir::Value param;
  Window window;
  ir::Value left, right{};
};

/// Returns a name that no node and no statement of the graph has: `name`, or the name with underscores behind it.
std::string free_name(const ir::Graph& graph, std::string name);

class Reverse {
 public:
  /// An op of networks, and a slice of a scan, is left to `visit`, which is called with its value and, if there is one,
  /// its cotangent, after all users of the value.
  using Visit = std::function<void(Reverse& reverse, ir::Value value, std::optional<ir::Value> cotangent)>;

  /// `graph` is bound and outlives the object, which appends to it.
  explicit Reverse(ir::Graph& graph, Visit visit = {});

  /// Adds a cotangent of a value, which may be spread: it is summed to the type of the value.
  void add(ir::Value value, ir::Value cotangent);

  /// Sweeps over all nodes that were in the graph when the object was made.
  void run();

  /// Returns the cotangent of a value, of the value's type; nullopt stands for 0.
  std::optional<ir::Value> cotangent(ir::Value value) const {
    return value.index < count_ ? cotangents_[value.index] : std::nullopt;
  }

  const std::vector<Term>& terms() const { return terms_; }

  /// Returns the parameters that were added, each for the parameter that it is the transpose of.
  const std::map<ir::Value, ir::Value>& transposed() const { return transposed_; }

  ir::Graph& graph() { return graph_; }

  // These append ops for rules.
  ir::Value slice(ir::Value value, std::vector<ir::Range> ranges);
  ir::Value rows_op(ir::RowOp op, std::vector<ir::Value> operands, ir::Dim first = 0, ir::Dim second = 0);
  ir::Value apply(ir::Function function, ir::Value a, ir::Value b) { return graph_.map(function, {a, b}); }
  ir::Value zeros(std::int64_t count);
  ir::Value zero_rows(std::int64_t count, std::int64_t width);

  /// Returns a value of the type of `like` whose elements are `value`, which is spread over them as in a Map.
  ir::Value spread(ir::Value value, ir::Value like);

 private:
  // The cotangent of elements, or of rows, [begin, end) of a value.
  struct Piece {
    std::int64_t begin = 0, end = 0;
    ir::Value cotangent;
  };

  void join_pieces(ir::Value value);
  ir::Value fit(ir::Value cotangent, ir::Value value);
  ir::Value over_time(ir::Value cotangent);
  bool add_term(ir::Value value, ir::Value cotangent);
  void rule(ir::Value value, ir::Value cotangent);
  void map(ir::Value value, ir::Value cotangent);
  void reduce(ir::Value value, ir::Value cotangent);
  void softmax(ir::Value value, ir::Value cotangent);
  void layer_norm(const ir::Node& node, ir::Value cotangent);
  void slice(const ir::Node& node, ir::Value cotangent);
  void concat(const ir::Node& node, ir::Value cotangent);
  void product(ir::Value matrix, ir::Value vector, ir::Value cotangent);
  void project(const ir::Node& node, ir::Value cotangent);
  void lookup(const ir::Node& node, ir::Value cotangent);
  ir::Value transpose(ir::Value param);
  std::int64_t dim(ir::Value value, std::size_t i) const { return graph_[value].type.dims[i].value(); }

  ir::Graph& graph_;
  Visit visit_;
  std::size_t count_;                                 // nodes before the sweep
  std::vector<bool> active_;                          // those whose cotangent someone may ask for
  std::vector<std::optional<ir::Value>> cotangents_;  // by node
  std::map<ir::Value, std::vector<Piece>> pieces_;    // further cotangents, of slices of a value
  std::vector<Term> terms_;
  std::map<ir::Value, ir::Value> transposed_;
};

/// Adds the cotangents of the operands of a Rows node.
void reverse_rows(Reverse& reverse, const ir::Node& node, ir::Value cotangent);

}  // namespace rnnc::compiler
