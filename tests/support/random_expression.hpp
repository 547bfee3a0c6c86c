// Random expressions for random cells, built from a pool of values that grows as they are drawn. Each value is small in
// magnitude and depends on what it is made of with a slope of about one or less, so rounding errors do not grow with
// the size of an expression.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ir/cell.hpp"
#include "tests/support/random.hpp"

namespace rnnc::test {

constexpr std::int64_t kScalar = 0;  // as a size: rank 0

class Expressions {
 public:
  Expressions(Random& random, ir::Graph& graph) : random_(random), graph_(graph) {}

  std::vector<ir::Value> pool;    // the scalars and vectors to build from
  std::vector<ir::Value> inputs;  // of no state
  bool exact_inputs = true;       // discontinuous functions may compare them: they carry no rounding error
  std::map<std::string, std::vector<float>> weights;

  /// A new expression of this size, added to the pool.
  ir::Value draw(std::int64_t size, int depth);
  ir::Value squash(ir::Value v);  // within 1

  std::int64_t size();  // from a list of ugly ones
  std::int64_t length(ir::Value v) const { return rank(v) == 0 ? kScalar : graph_[v].type.dims[0].value(); }
  std::string fresh(const char* prefix) { return prefix + std::to_string(names_++); }
  ir::Value keep(ir::Value v);  // in the pool

  ir::Value declare(ir::Op op, const char* prefix, std::vector<ir::Dim> dims, double bound,
                    const std::string& axis = "");
  ir::Value append(ir::Node node, double bound);
  ir::Value param(std::vector<ir::Dim> dims, float low, float high);
  ir::Value constant(float value) { return note(graph_.constant(value), std::fabs(value)); }
  ir::Value map(ir::Function function, std::vector<ir::Value> operands, double bound);
  ir::Value matvec(ir::Value matrix, ir::Value x);
  ir::Value matrix(std::int64_t rows, std::int64_t columns);
  double bound(ir::Value v) const { return bounds_[v.index]; }

 private:
  ir::Value note(ir::Value v, double bound);
  ir::Value append(ir::Op op, std::vector<ir::Value> operands, double bound);
  ir::Value reduce(ir::Reduction reduction, std::vector<ir::Value> operands, double bound);
  ir::Value slice(ir::Value v, std::vector<ir::Range> ranges);
  ir::Value concat(std::vector<ir::Value> parts);
  std::size_t rank(ir::Value v) const { return graph_[v].type.rank(); }

  ir::Value tame(ir::Value v);
  ir::Value whole_matrix(std::int64_t rows, std::int64_t columns);
  ir::Value any(int depth);
  ir::Value leaf(std::int64_t size);
  ir::Value of_no_state(std::int64_t size);
  ir::Value exact(std::int64_t size);
  ir::Value looked_up(std::int64_t size);
  ir::Value draw_vector(std::int64_t size, int depth);
  ir::Value products(std::int64_t size, int depth);
  ir::Value project(std::int64_t size, int depth);
  ir::Value stacked(std::int64_t size, int depth);
  ir::Value joined(std::int64_t size, int depth);
  ir::Value cut(std::int64_t size, int depth);
  ir::Value hoisted(std::int64_t size);
  ir::Value apply(ir::Function function, ir::Value a, ir::Value b);
  ir::Value apply_one(ir::Function function, ir::Value a);
  ir::Value apply_select(ir::Value a, ir::Value b);
  ir::Value aggregate(std::int64_t size, int depth);
  ir::Value normalized(ir::Value v);

  Random& random_;
  ir::Graph& graph_;
  std::vector<double> bounds_;       // by node
  std::vector<ir::Value> matrices_;  // parameters
  int names_ = 0;
};

}  // namespace rnnc::test
