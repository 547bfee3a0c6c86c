// The typing rules, op by op. Arity and operand kinds of functions and reductions come from the op table.
#include <algorithm>

#include "ir/print.hpp"
#include "ir/syntax.hpp"
#include "ir/verify.hpp"

namespace rnnc::ir {

namespace {

class Inference {
 public:
  Inference(const Cell& cell, const Node& node) : cell_(cell), node_(node) {}

  Result<Type> run() {
    for (const Value operand : node_.operands) {
      if (operand.index >= cell_.nodes.size()) {
        return error(ErrorCode::InvalidModel, "operand " + std::to_string(operand.index) + " comes after its user");
      }
    }
    Result<Type> type = by_op();
    return type ? check_size(std::move(*type)) : type;
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
      case Op::Project: return project();
      case Op::Map: return map();
      case Op::Reduce: return reduce();
      case Op::Hoist: return hoist();
    }
    return error(ErrorCode::InvalidModel, "an op that does not exist");
  }

  Result<Type> declared() {
    const std::size_t rank = node_.type.rank();
    if (!node_.operands.empty()) return wrong_count("a declaration", "no operands");
    if (rank > (node_.op == Op::Param ? 2 : 1)) {
      const std::string rule = node_.op == Op::Param ? "a param is a scalar, a vector or a matrix"
                                                     : "only a param may be a matrix; an input or state is a vector";
      return error(ErrorCode::ShapeMismatch, node_.name + " is " + node_.type.to_string() + ", but " + rule);
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

  // Whether 0 <= begin < end <= size, as far as it shows before symbols are bound.
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
      if (result.dims[0].size() > kMaxDimSize) break;  // check_size says so
    }
    return result;
  }

  Result<Type> matvec() {
    if (node_.operands.size() != 2) return wrong_count("@", "2 operands");
    if (type(0).rank() != 2) {
      return mismatch("the left operand of @ must be a matrix: " + is(0) + "; element by element, * multiplies", {0});
    }
    if (type(1).rank() != 1) return mismatch("the right operand of @ must be a vector: " + is(1), {1});
    if (type(0).dims[1] != type(1).dims[0]) return mismatch("shape mismatch: " + is_but(0, 1), {0, 1});
    return Type{{type(0).dims[0]}};
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
      if (start.rank() != 0 && start != Type{{matrix.dims[0]}}) {
        return mismatch("shape mismatch: " + is(i) + " but its start " + is(i + 1), {i, i + 1});
      }
      size = size + matrix.dims[0];
      if (size.size() > kMaxDimSize) break;
    }
    return Type{{size}};
  }

  Result<Type> map() {
    const auto index = static_cast<std::size_t>(node_.function);
    if (index >= kFunctions.size()) return error(ErrorCode::InvalidModel, "a function that does not exist");
    const FunctionFacts& row = facts(node_.function);
    const auto arity = static_cast<std::size_t>(row.arity);
    if (node_.operands.size() != arity) return wrong_count(std::string(row.name), counted(arity, "operand"));
    std::size_t vector = arity;  // the first operand that is no scalar
    for (std::size_t i = 0; i < arity; ++i) {
      if (type(i).rank() == 2) return matrix_misused(i);
      if (type(i).rank() == 0) continue;
      if (vector == arity) vector = i;
      if (type(i) != type(vector)) return mismatch("shape mismatch: " + is_but(vector, i), {vector, i});
    }
    return vector == arity ? Type{} : type(vector);
  }

  Result<Type> reduce() {
    const auto index = static_cast<std::size_t>(node_.reduction);
    if (index >= kReductions.size()) return error(ErrorCode::InvalidModel, "a reduction that does not exist");
    const ReductionFacts& row = facts(node_.reduction);
    const auto arity = static_cast<std::size_t>(row.arity);
    const std::string name(row.name);
    if (node_.operands.size() != arity) return wrong_count(name, counted(arity, "operand"));
    for (std::size_t i = 0; i < arity; ++i) {
      if (type(i).rank() == 2) return matrix_misused(i);
      const bool scalar = i > 0 && i + 1 == arity;  // as the table says
      if (scalar != (type(i).rank() == 0)) {
        return mismatch("operand " + std::to_string(i + 1) + " of " + name + " must be a " +
                            (scalar ? "scalar: " : "vector: ") + is(i),
                        {i});
      }
      if (!scalar && type(i) != type(0)) return mismatch("shape mismatch: " + is_but(0, i), {0, i});
    }
    return row.result == ResultKind::Scalar ? Type{} : type(0);
  }

  Result<Type> hoist() {
    if (node_.operands.size() != 1) return wrong_count("hoist", "1 operand");
    if (type(0).rank() == 2) return matrix_misused(0);
    return type(0);
  }

  Result<Type> check_size(Type type) {
    constexpr std::int64_t kMostElements = std::int64_t{1} << 31;
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

  const Type& type(std::size_t i) const { return cell_[node_.operands[i]].type; }

  std::string is(std::size_t i) const { return describe(cell_, node_.operands[i]) + " is " + type(i).to_string(); }
  std::string is_but(std::size_t i, std::size_t j) const { return is(i) + " but " + is(j); }

  static std::string counted(std::size_t count, std::string_view noun) {
    return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
  }

  Error wrong_count(const std::string& what, const std::string& wanted) const {
    return error(ErrorCode::ShapeMismatch,
                 what + " takes " + wanted + ", not " + std::to_string(node_.operands.size()));
  }

  Error matrix_misused(std::size_t i) const {
    return mismatch("a matrix can only be multiplied with a vector (W @ x), sliced or joined: " + is(i), {i});
  }

  Error mismatch(std::string message, std::initializer_list<std::size_t> operands) const {
    Error result = error(ErrorCode::ShapeMismatch, std::move(message));
    for (const std::size_t i : operands) {
      Note note;
      if (find_origin(node_.operands[i], note)) result.notes.push_back(std::move(note));
    }
    return result;
  }

  // Where the name that an operand goes by comes from.
  bool find_origin(Value value, Note& note) const {
    const Node& operand = cell_[value];
    std::string name = operand.name;
    Location location = operand.location;
    std::string how = " declared here";
    for (std::size_t i = 0; name.empty() && i < cell_.statements.size(); ++i) {
      const Statement& statement = cell_.statements[i];
      if (statement.value != value || statement.kind == Statement::Kind::Output) continue;
      name = statement.name + (statement.kind == Statement::Kind::Next ? "'" : "");
      location = statement.location;
      how = " defined here";
    }
    if (name.empty() || location.line == 0) return false;
    note = {{cell_.file, location.line, location.column}, name + how};
    return true;
  }

  Error error(ErrorCode code, std::string message) const {
    return {code, {cell_.file, node_.location.line, node_.location.column}, std::move(message), {}};
  }

  const Cell& cell_;
  const Node& node_;
};

}  // namespace

Result<Type> infer_type(const Cell& cell, const Node& node) { return Inference(cell, node).run(); }

}  // namespace rnnc::ir
