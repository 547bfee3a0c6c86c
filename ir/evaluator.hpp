// The evaluator computes the nodes of a bound graph one by one, in doubles. A node that depends on parameters alone is
// computed once. Matrices are views of the caller's memory, except if a concat joins them.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/rounding.hpp"

namespace rnnc::ir {

// A view of a matrix in memory; a vector has one column and stride 1, a scalar one element.
struct View {
  const double* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t stride = 0;

  double spread(std::int64_t i) const { return data[rows == 1 ? 0 : i]; }
  Vector to_vector() const { return Vector(data, data + rows); }
};

class Evaluator {
 public:
  /// `params` has every parameter in its size (asserted) and must outlive the evaluator. With a rounding, the value of
  /// each operation is rounded by it.
  Evaluator(const Graph& graph, const NamedVectors& params, Rounding* rounding = nullptr);

  /// Returns the nodes that depend on an input, a state or a scan, in their order. compute() is called for these.
  const std::vector<std::size_t>& varying() const { return varying_; }
  bool varies(std::size_t node) const { return varies_[node]; }

  /// Sets the memory that later computations read as the value of a node.
  void bind(std::size_t node, const double* data) {
    views_[node].data = data;
    views_[node].stride = views_[node].columns;  // what the caller gives is dense, also where a slice was computed
  }

  /// Computes one node from its operands.
  void compute(std::size_t node);
  const View& operator[](Value value) const { return views_[value.index]; }

 private:
  void slice(const Node& node, View& result) const;
  double* concat(const Node& node, double* out) const;
  double* matvec(const View& matrix, const View& x, const View& start, double* out) const;
  double* rounded_matvec(const View& matrix, const View& x, const View& start, double* out) const;
  void lookup(const Node& node, double* out) const;
  void project(const Node& node, double* out) const;
  void map(const Node& node, std::int64_t count, double* out) const;
  void reduce(const Node& node, Vector& out) const;
  // These are of integers (evaluate_integers.cpp).
  void quantize(const Node& node, double* out) const;
  void project_integers(const Node& node, double* out) const;
  // These are of rows (evaluate_rows.cpp).
  void compute_rows(const Node& node, double* out) const;
  void pad(const Node& node, double* out) const;
  void windows(const Node& node, double* out) const;
  void reduce_rows(const Node& node, double* out) const;
  void matvec_of_rows(const Node& node, double* out) const;
  void map_of_rows(const Node& node, double* out) const;
  void reduce_of_rows(const Node& node, Vector& out) const;
  const View& operand(const Node& node, std::size_t i) const { return views_[node.operands[i].index]; }

  const Graph& graph_;
  Rounding* rounding_;
  std::vector<View> views_;      // by node
  std::vector<Vector> storage_;  // by node; empty where the view is of other memory
  std::vector<bool> varies_;     // by node
  std::vector<std::size_t> varying_;
};

}  // namespace rnnc::ir
