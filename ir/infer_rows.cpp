#include "ir/infer_rows.hpp"

#include <algorithm>
#include <optional>

#include "ir/mistakes.hpp"
#include "ir/syntax.hpp"

namespace rnnc::ir {
namespace {

Type rows_of(Dim count, Dim width) { return {.dims = {std::move(count), std::move(width)}, .is_rows = true}; }

class RowsInference : Mistakes {
 public:
  using Mistakes::Mistakes;

  Result<Type> run() {
    if (static_cast<std::size_t>(node_.row_op) >= kRowOps.size())
      return error(ErrorCode::InvalidModel, "an op of rows that does not exist");
    const RowOpFacts& row = facts(node_.row_op);
    const auto count = static_cast<std::size_t>(row.operands);
    if (count == 0 ? node_.operands.empty() : node_.operands.size() != count)
      return wrong_count(name(), count == 0 ? "at least 1 operand" : counted(count, "operand"));
    if (row.dims > 0 && node_.ranges.size() != 1) return error(ErrorCode::InvalidModel, name() + " without its dims");
    switch (node_.row_op) {
      case RowOp::Split: return split();
      case RowOp::Flatten: return flatten();
      case RowOp::Windows: return windows();
      case RowOp::Pad:
      case RowOp::Reflect: return pad();
      case RowOp::Beside: return beside();
      case RowOp::Sum:
      case RowOp::Mean:
      case RowOp::Max: return over_rows();
    }
    return error(ErrorCode::InvalidModel, "an op of rows that does not exist");
  }

  // The operands of a function have rows in equal number, and features in equal number or one.
  Result<Type> map() {
    std::optional<std::size_t> counted, wide;
    for (std::size_t i = 0; i < node_.operands.size(); ++i) {
      if (type(i).rank() == 0) continue;
      if (type(i).rank() == 2 && !counted) counted = i;
      if (type(i).rank() == 2 && count(i) != count(*counted))
        return mismatch("shape mismatch: " + is_but(*counted, i) + "; rows agree in number", {*counted, i});
      if (type(i).rank() == 2 && width(i) == Dim(1)) continue;
      if (!wide) wide = i;
      if (width(i) != width(*wide))
        return mismatch("shape mismatch: " + is_but(*wide, i) + "; a vector beside rows is the same in each",
                        {*wide, i});
    }
    return rows_of(count(*counted), wide ? width(*wide) : Dim(1));
  }

  // The first operand is rows; the other vectors of the reduction may be vectors, which are the same for each row.
  Result<Type> reduce() {
    const ReductionFacts& row = facts(node_.reduction);
    if (type(0).rank() != 2) return mismatch(name() + " has rows as another operand than its first: " + is(0), {0});
    for (std::size_t i = 1; i < node_.operands.size(); ++i) {
      const bool scalar = i + 1 == node_.operands.size();  // as the table says
      const bool fits =
          scalar ? type(i).rank() == 0
                 : type(i).rank() > 0 && width(i) == width(0) && (type(i).rank() == 1 || count(i) == count(0));
      if (!fits)
        return mismatch("operand " + std::to_string(i + 1) + " of " + std::string(row.name) + " must be a " +
                            (scalar ? "scalar: " + is(i) : "vector as long as a row: " + is_but(0, i)),
                        {0, i});
    }
    return rows_of(count(0), row.result == ResultKind::Scalar ? Dim(1) : width(0));
  }

 private:
  std::string name() const {
    return std::string(node_.op == Op::Reduce ? facts(node_.reduction).name : facts(node_.row_op).name);
  }

  const Dim& count(std::size_t i) const { return type(i).dims[0]; }
  const Dim& width(std::size_t i) const { return type(i).dims.back(); }

  // A dim that is known must be at least so large.
  static bool below(const Dim& dim, std::int64_t least) { return dim.is_constant() && dim.value() < least; }

  Error needs_rows(std::size_t i) const {
    return mismatch(name() + " takes rows, f32[p,n]: " + is(i) + "; rows(v, p) makes p rows of a vector", {i});
  }

  Result<Type> split() {
    if (type(0).rank() != 1) return mismatch("rows takes a vector: " + is(0), {0});
    const Dim& count = node_.ranges[0].end;
    const std::optional<Dim> width = below(count, 1) ? std::nullopt : type(0).dims[0].divide(count);
    if (!width) return mismatch(is(0) + ", which is not " + count.to_string() + " rows of equal length", {0});
    return rows_of(count, *width);
  }

  Result<Type> flatten() {
    if (type(0).rank() != 2) return needs_rows(0);
    return Type{{count(0) * width(0)}};
  }

  Result<Type> windows() {
    if (type(0).rank() == 0) return mismatch("windows takes a vector or rows: " + is(0), {0});
    const auto& [size, stride] = node_.ranges[0];
    const Dim rest = count(0) - size;
    if (below(size, 1) || below(stride, 1) || below(rest, 0))
      return mismatch("windows of " + size.to_string() + " every " + stride.to_string() + " do not fit: " + is(0), {0});
    std::optional<Dim> steps = stride == Dim(1) ? rest : rest.divide(stride);
    if (rest.is_constant() && stride.is_constant()) steps = Dim(rest.value() / stride.value());
    if (!steps)
      return mismatch("the number of windows does not follow from " + rest.to_string() + " and the stride " +
                          stride.to_string() + "; give the dims as numbers: " + is(0),
                      {0});
    return rows_of(*steps + Dim(1), type(0).rank() == 1 ? size : size * width(0));
  }

  Result<Type> pad() {
    if (type(0).rank() == 0) return mismatch(name() + " takes a vector or rows: " + is(0), {0});
    const auto& [before, after] = node_.ranges[0];
    if (below(before, 0) || below(after, 0)) return mismatch(name() + " takes dims of at least 0: " + is(0), {0});
    if (node_.row_op == RowOp::Reflect && (below(count(0) - before, 1) || below(count(0) - after, 1)))
      return mismatch("reflect mirrors fewer than there are: " + is(0), {0});
    const Dim mirrored = before + after;
    if (node_.row_op == RowOp::Reflect && mirrored.is_constant() && mirrored.value() > kMostRows)
      return error(ErrorCode::Limit, "reflect mirrors at most " + std::to_string(kMostRows) + " elements: " + is(0));
    Type result = type(0);
    result.is_rows = result.rank() == 2;
    result.dims[0] = before + count(0) + after;
    return result;
  }

  Result<Type> beside() {
    Dim width_of_all;
    for (std::size_t i = 0; i < node_.operands.size(); ++i) {
      if (type(i).rank() != 2) return needs_rows(i);
      if (count(i) != count(0)) return mismatch("shape mismatch: " + is_but(0, i) + "; rows agree in number", {0, i});
      width_of_all = width_of_all + width(i);
      if (width_of_all.size() > kMaxDimSize) break;
    }
    return rows_of(count(0), width_of_all);
  }

  Result<Type> over_rows() {
    if (type(0).rank() != 2) return needs_rows(0);
    return Type{{width(0)}};
  }
};

}  // namespace

bool has_rows(const Graph& graph, const Node& node) {
  return std::ranges::any_of(node.operands, [&](Value operand) { return graph[operand].type.is_rows; });
}

Result<Type> infer_rows(const Graph& graph, const Node& node) { return RowsInference(graph, node).run(); }
Result<Type> infer_map_of_rows(const Graph& graph, const Node& node) { return RowsInference(graph, node).map(); }
Result<Type> infer_reduce_of_rows(const Graph& graph, const Node& node) { return RowsInference(graph, node).reduce(); }

}  // namespace rnnc::ir
