// This file has the typing rule of each op. The op table gives the arity and operand kinds of functions and reductions.
#include <algorithm>

#include "ir/infer_rows.hpp"
#include "ir/mistakes.hpp"
#include "ir/print.hpp"
#include "ir/scan.hpp"
#include "ir/syntax.hpp"
#include "ir/verify.hpp"

namespace rnnc::ir {

namespace {

class Inference : Mistakes {
 public:
  using Mistakes::Mistakes;

  Result<Type> run() {
    for (const Value operand : node_.operands) {
      if (operand.index >= graph_.nodes.size()) {
        return error(ErrorCode::InvalidModel, "operand " + std::to_string(operand.index) + " comes after its user");
      }
    }
    if (Result<void> times = check_times(); !times) return times.error();
    Result<Type> result = by_op();
    if (result && lifts()) result->axis = axis_;
    return result ? check_size(std::move(*result)) : result;
  }

 private:
  Result<Type> by_op() {
    switch (node_.op) {
      case Op::Input:
      case Op::State:
      case Op::Param: return declared();
      case Op::Constant:
        return node_.operands.empty() ? Result<Type>(Type{}) : wrong_count("a constant", "no operands");
      case Op::Slice: return slice();
      case Op::Concat: return concat();
      case Op::Matvec: return matvec();
      case Op::Lookup: return lookup();
      case Op::Project: return project();
      case Op::Map: return map();
      case Op::Reduce: return reduce();
      case Op::Hoist: return hoist();
      case Op::Fill: return fill();
      case Op::Quantize: return quantize();
      case Op::Rows: return infer_rows(graph_, node_);
      case Op::Scan: return infer_scan(graph_, node_);
      case Op::FinalState: return infer_final_state(graph_, node_);
      case Op::OverTime: return over_time();
    }
    return error(ErrorCode::InvalidModel, "an op that does not exist");
  }

  bool lifts() const { return !is_declaration(node_) && node_.op < Op::Scan; }

  // Checks that all operands that are sequences have one time. An operand that is no sequence is the same at each step.
  Result<void> check_times() {
    std::size_t first = 0;
    for (std::size_t i = 0; i < node_.operands.size(); ++i) {
      if (!type(i).is_sequence()) continue;
      if (axis_.empty()) first = i;
      if (axis_.empty()) axis_ = type(i).axis;
      if (type(i).axis != axis_) return mismatch("sequences of two times: " + is_but(first, i), {first, i});
    }
    return {};
  }

  Result<Type> declared() {
    const std::size_t rank = node_.type.rank();
    if (!node_.operands.empty()) return wrong_count("a declaration", "no operands");
    if (rank > (node_.op == Op::Param ? 2 : 1)) {
      const std::string rule = node_.op == Op::Param ? "a param is a scalar, a vector or a matrix"
                                                     : "only a param may be a matrix; an input or state is a vector";
      return error(ErrorCode::ShapeMismatch, node_.name + " is " + node_.type.to_string() + ", but " + rule);
    }
    if (node_.type.is_sequence() && (node_.op != Op::Input || graph_.kind == Graph::Kind::Cell)) {
      return error(ErrorCode::InvalidModel,
                   node_.name + " is " + node_.type.to_string() + ", but only an input of a network is a sequence");
    }
    return node_.type;
  }

  Result<Type> slice() {
    if (node_.operands.size() != 1) return wrong_count("a slice", "1 operand");
    const Type& from = type(0);
    if (from.rank() == 0) return mismatch("only a vector or a matrix can be sliced: " + is(0), {0});
    if (node_.ranges.empty()) return error(ErrorCode::InvalidModel, "a slice without a range");
    if (node_.ranges.size() > from.rank()) return mismatch("a slice with two ranges needs a matrix: " + is(0), {0});
    Type result = from;
    for (std::size_t i = 0; i < node_.ranges.size(); ++i) {
      const auto& [begin, end] = node_.ranges[i];
      if (!fits(begin, end, from.dims[i])) {
        return mismatch(
            "slice [" + begin.to_string() + ":" + end.to_string() + "] does not fit: " + is(0) +
                ", and a slice [a:b] takes elements a to b-1, with 0 <= a < b <= " + from.dims[i].to_string(),
            {0});
      }
      result.dims[i] = end - begin;
    }
    return result;
  }

  // Tells whether 0 <= begin < end <= size, as far as symbolic dims allow to tell.
  static bool fits(const Dim& begin, const Dim& end, const Dim& size) {
    const auto below = [](const Dim& dim, std::int64_t least) { return dim.is_constant() && dim.value() < least; };
    return !below(begin, 0) && !below(end - begin, 1) && !below(size - end, 0);
  }

  Result<Type> concat() {
    if (node_.operands.empty()) return wrong_count("concat", "at least 1 operand");
    Type result = type(0);
    if (result.rank() == 0) return mismatch("concat joins vectors, or matrices: " + is(0), {0});
    for (std::size_t i = 1; i < node_.operands.size(); ++i) {
      const Type& next = type(i);
      if (next.rank() != result.rank()) {
        return mismatch("concat joins vectors, or matrices: " + is_but(0, i), {0, i});
      }
      if (next.rank() == 2 && next.dims[1] != result.dims[1]) {
        return mismatch("shape mismatch: concat joins matrices of the same width: " + is_but(0, i), {0, i});
      }
      result.dims[0] = result.dims[0] + next.dims[0];
      result.is_rows = result.is_rows || next.is_rows;
      if (result.dims[0].size() > kMaxDimSize) break;  // check_size reports it
    }
    return result;
  }

  Result<Type> matvec() {
    if (node_.operands.size() != 2) return wrong_count("@", "2 operands");
    if (type(0).is_rows) {
      return mismatch("the left operand of @ must be a matrix of parameters, not rows of a step: " + is(0), {0});
    }
    if (type(0).rank() != 2) {
      const bool swapped = type(1).rank() == 2 && !type(1).is_rows;
      return mismatch("the left operand of @ must be a matrix: " + is(0) +
                          (swapped ? "; write the matrix first, as in W @ x" : "; element by element, * multiplies"),
                      {0});
    }
    const bool rows = type(1).is_rows;
    if (type(1).rank() != 1 && !rows) return mismatch("the right operand of @ must be a vector: " + is(1), {1});
    if (type(0).dims[1] != type(1).dims.back()) return mismatch("shape mismatch: " + is_but(0, 1), {0, 1});
    if (rows) return Type{.dims = {type(1).dims[0], type(0).dims[0]}, .is_rows = true};
    return Type{{type(0).dims[0]}};
  }

  Result<Type> lookup() {
    if (node_.operands.size() != 2) return wrong_count("lookup", "2 operands");
    if (type(0).rank() != 2 || type(0).is_rows) return mismatch("lookup takes a matrix first: " + is(0), {0});
    if (type(1).rank() != 0) return mismatch("lookup takes a scalar, the number of a row: " + is(1), {1});
    return Type{{type(0).dims[1]}};
  }

  Result<Type> project() {
    if (node_.operands.size() < 3 || node_.operands.size() % 2 == 0) {
      return error(ErrorCode::ShapeMismatch, "project takes a vector, then pairs of a matrix and a start, not " +
                                                 counted(node_.operands.size(), "operand"));
    }
    if (type(0).rank() != 1) return mismatch("project takes a vector first: " + is(0), {0});
    Dim size;
    for (std::size_t i = 1; i < node_.operands.size(); i += 2) {
      const Type& matrix = type(i);
      const Type& start = type(i + 1);
      if (matrix.rank() != 2) return mismatch("project takes a matrix here: " + is(i), {i});
      if (matrix.dims[1] != type(0).dims[0]) return mismatch("shape mismatch: " + is_but(i, 0), {i, 0});
      if (start.rank() > 1 || (start.rank() == 1 && start.dims[0] != matrix.dims[0])) {
        return mismatch("shape mismatch: " + is(i) + " but its start " + is(i + 1), {i, i + 1});
      }
      size = size + matrix.dims[0];
      if (size.size() > kMaxDimSize) break;
    }
    return Type{{size}};
  }

  Result<Type> map() {
    const auto index = static_cast<std::size_t>(node_.function);
    if (index >= kAllFunctions.size()) return error(ErrorCode::InvalidModel, "a function that does not exist");
    const FunctionFacts& row = facts(node_.function);
    const auto arity = static_cast<std::size_t>(row.arity);
    if (node_.operands.size() != arity) return wrong_count(std::string(row.name), counted(arity, "operand"));
    if (has_rows(graph_, node_)) return infer_map_of_rows(graph_, node_);
    std::size_t vector = arity;  // the first operand that is no scalar
    for (std::size_t i = 0; i < arity; ++i) {
      if (type(i).rank() == 2) return matrix_misused(i);
      if (type(i).rank() == 0) continue;
      if (vector == arity) vector = i;
      if (type(i).dims != type(vector).dims) return mismatch("shape mismatch: " + is_but(vector, i), {vector, i});
    }
    return vector == arity ? Type{} : Type{type(vector).dims};
  }

  Result<Type> reduce() {
    const auto index = static_cast<std::size_t>(node_.reduction);
    if (index >= kReductions.size()) return error(ErrorCode::InvalidModel, "a reduction that does not exist");
    const ReductionFacts& row = facts(node_.reduction);
    const auto arity = static_cast<std::size_t>(row.arity);
    const std::string name(row.name);
    if (node_.operands.size() != arity) return wrong_count(name, counted(arity, "operand"));
    if (has_rows(graph_, node_)) return infer_reduce_of_rows(graph_, node_);
    for (std::size_t i = 0; i < arity; ++i) {
      if (type(i).rank() == 2) return matrix_misused(i);
      const bool scalar = i > 0 && i + 1 == arity;  // as the table says
      if (scalar != (type(i).rank() == 0)) {
        return mismatch("operand " + std::to_string(i + 1) + " of " + name + " must be a " +
                            (scalar ? "scalar: " : "vector: ") + is(i),
                        {i});
      }
      if (!scalar && type(i).dims != type(0).dims) return mismatch("shape mismatch: " + is_but(0, i), {0, i});
    }
    if (find_over_time(row.name) && type(0).is_sequence()) {
      return error(ErrorCode::InvalidModel, name + " of a sequence is one over time");
    }
    return row.result == ResultKind::Scalar ? Type{} : type(0);
  }

  Result<Type> fill() {
    if (node_.operands.size() != 1) return wrong_count("fill", "1 operand");
    if (node_.ranges.size() != 1) return error(ErrorCode::InvalidModel, "fill without its dim");
    if (type(0).rank() != 0) return mismatch("fill takes a scalar: " + is(0), {0});
    return Type{{node_.ranges[0].end}};
  }

  Result<Type> hoist() {
    if (node_.operands.size() != 1) return wrong_count("hoist", "1 operand");
    if (type(0).rank() == 2 && !type(0).is_rows) return matrix_misused(0);
    return type(0);
  }

  Result<Type> over_time() {
    if (static_cast<std::size_t>(node_.over_time) >= kOverTimes.size()) {
      return error(ErrorCode::InvalidModel, "a function over time that does not exist");
    }
    const std::string name(facts(node_.over_time).name);
    if (node_.operands.size() != 1) return wrong_count(name, "1 operand");
    if (!type(0).is_sequence()) return mismatch(name + " takes a sequence: " + is(0), {0});
    if (type(0).rank() == 2) {
      return mismatch(name + " of a sequence is over time, of vectors: " + is(0) +
                          "; flatten(...) makes vectors of rows, and over features it is written in a cell",
                      {0});
    }
    return runtime::gives_sequence(node_.over_time) ? type(0) : Type{type(0).dims};
  }

  Result<Type> quantize() {
    if (node_.operands.size() != 2) return wrong_count("quantize", "2 operands");
    if (type(0).rank() != 1) return mismatch("quantize takes a vector first: " + is(0), {0});
    if (type(1).rank() != 0) return mismatch("quantize takes a scalar second: " + is(1), {1});
    const auto is_width = [](const Dim& bits) { return bits == Dim(8) || bits == Dim(16); };
    if (node_.ranges.size() != 1 || !is_width(node_.ranges[0].begin) || !is_width(node_.ranges[0].end))
      return error(ErrorCode::InvalidModel, "quantize makes integers of 8 or 16 bits");
    return type(0);
  }

  Result<Type> check_size(Type type) {
    constexpr std::int64_t kMostElements = std::int64_t{1} << 31;
    if (type.is_rows && type.dims[0].is_constant() && type.dims[0].value() > kMostRows) {
      return error(ErrorCode::Limit,
                   subject() + type.to_string() + "; a step may have at most " + std::to_string(kMostRows) + " rows");
    }
    std::int64_t elements = 1;
    for (const Dim& dim : type.dims) {
      if (dim.size() > kMaxDimSize) return error(ErrorCode::Limit, "a dim is a sum of too many terms");
      if (!dim.is_constant()) continue;
      if (dim.value() < 1) {
        return error(ErrorCode::ShapeMismatch, subject() + type.to_string() + ", but a dim must be at least 1");
      }
      if (dim.value() > kMaxDim) {
        return error(ErrorCode::Limit,
                     subject() + type.to_string() + "; a dim may be at most " + std::to_string(kMaxDim));
      }
      elements *= dim.value();  // at most 2^48
    }
    if (elements > kMostElements) {
      return error(ErrorCode::Limit, subject() + type.to_string() + "; a tensor may have at most " +
                                         std::to_string(kMostElements) + " elements");
    }
    return type;
  }

  static constexpr std::int64_t kMaxDim = std::int64_t{1} << 24;

  std::string subject() const { return (node_.name.empty() ? "the result" : node_.name) + " is "; }

  std::string axis_;
};

}  // namespace

Result<Type> infer_type(const Graph& graph, const Node& node) { return Inference(graph, node).run(); }

}  // namespace rnnc::ir
