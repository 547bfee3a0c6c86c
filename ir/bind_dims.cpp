// From symbolic dims to numbers, given by hand or found from the shapes of weights.
#include <algorithm>
#include <set>

#include "ir/syntax.hpp"
#include "ir/verify.hpp"

namespace rnnc::ir {

namespace {

Error error_at(const Cell& cell, Location location, ErrorCode code, std::string message) {
  return {code, {cell.file, location.line, location.column}, std::move(message), {}};
}

// The dims that some declaration or slice uses; the value of any other makes no difference.
std::set<std::string> used_dims(const Cell& cell) {
  std::set<std::string> used;
  const auto add = [&](const Dim& dim) {
    for (std::string& symbol : dim.symbols()) used.insert(std::move(symbol));
  };
  for (const Node& node : cell.nodes) {
    for (const Dim& dim : node.type.dims) add(dim);
    for (const Range& range : node.ranges) add(range.begin), add(range.end);
  }
  return used;
}

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

Result<void> check_bindings(const Cell& cell, const DimBindings& bindings) {
  const std::string where = "cell " + cell.name;
  for (const auto& [name, value] : bindings) {
    if (std::find(cell.dims.begin(), cell.dims.end(), name) == cell.dims.end()) {
      const std::string there = cell.dims.empty() ? "; it has none" : "; it has " + list(cell.dims);
      return error_at(cell, cell.location, ErrorCode::Usage, where + " has no dim " + name + there);
    }
    if (value < 1) {
      return error_at(cell, cell.location, ErrorCode::Usage,
                      where + ": dim " + name + " is " + std::to_string(value) + ", but must be at least 1");
    }
  }
  const std::set<std::string> used = used_dims(cell);
  for (const std::string& name : cell.dims) {
    if (bindings.count(name) == 0 && used.count(name) != 0) {
      return error_at(cell, cell.location, ErrorCode::Usage,
                      where + ": dim " + name + " has no value; give one, as in " + name + "=128");
    }
  }
  return {};
}

}  // namespace

Result<Cell> bind_dims(const Cell& cell, const DimBindings& bindings) {
  if (Result<void> checked = check_bindings(cell, bindings); !checked) return checked.error();
  Cell bound;
  bound.name = cell.name;
  bound.file = cell.file;
  bound.location = cell.location;
  bound.statements = cell.statements;
  bound.nodes.reserve(cell.nodes.size());
  for (Node node : cell.nodes) {
    for (Dim& dim : node.type.dims) dim = dim.substitute(bindings);
    for (Range& range : node.ranges) {
      range = {range.begin.substitute(bindings), range.end.substitute(bindings)};
    }
    Result<Type> type = infer_type(bound, node);
    if (!type) return type.error();
    node.type = std::move(*type);
    bound.nodes.push_back(std::move(node));
  }
  if (Result<void> verified = verify(bound); !verified) return verified.error();
  return bound;
}

namespace {

class DimInference {
 public:
  DimInference(const Cell& cell, const std::map<std::string, Shape>& shapes, DimBindings bindings)
      : cell_(cell), shapes_(shapes), bindings_(std::move(bindings)) {}

  Result<DimBindings> run() {
    if (Result<void> ranks = check_ranks(); !ranks) return ranks.error();
    // A dim that one shape gives may be what another shape needs: `f32[I+H]` says I once H is known.
    for (std::size_t known = bindings_.size() + 1; known != bindings_.size();) {
      known = bindings_.size();
      for (const Node& node : cell_.nodes) {
        if (Result<void> result = visit(node); !result) return result.error();
      }
    }
    return std::move(bindings_);
  }

 private:
  const Shape* shape_of(const Node& node) const {
    if (node.op != Op::Param) return nullptr;
    const auto found = shapes_.find(node.name);
    return found == shapes_.end() ? nullptr : &found->second;
  }

  Result<void> check_ranks() const {
    for (const Node& node : cell_.nodes) {
      const Shape* shape = shape_of(node);
      if (shape && shape->size() != node.type.rank()) return mismatch(node, *shape, "");
    }
    return {};
  }

  Result<void> visit(const Node& node) {
    const Shape* shape = shape_of(node);
    if (!shape) return {};
    for (std::size_t i = 0; i < shape->size(); ++i) {
      const std::int64_t size = (*shape)[i];
      const Dim dim = node.type.dims[i].substitute(bindings_);
      const std::string symbol = dim.linear_symbol();
      if (dim.is_constant()) {
        if (dim.value() != size) return mismatch(node, *shape, known_text(node.type.dims[i]));
      } else if (!symbol.empty() && !solve(dim, symbol, size)) {
        return mismatch(node, *shape, " for any " + symbol + " of at least 1");
      }
    }
    return {};
  }

  bool solve(const Dim& dim, const std::string& symbol, std::int64_t size) {
    const Dim offset = dim.substitute({{symbol, 0}});
    const std::int64_t coefficient = (dim.substitute({{symbol, 1}}) - offset).value();
    const std::int64_t rest = (Dim(size) - offset).value();
    if (coefficient == 0 || rest % coefficient != 0 || rest / coefficient < 1) return false;
    bindings_[symbol] = rest / coefficient;
    return true;
  }

  // " with H=64, I=3": the bindings that a dim was computed with.
  std::string known_text(const Dim& dim) const {
    std::string text;
    for (const std::string& symbol : dim.symbols()) {
      const auto bound = bindings_.find(symbol);
      if (bound == bindings_.end()) continue;
      text += (text.empty() ? " with " : ", ") + symbol + "=" + std::to_string(bound->second);
    }
    return text;
  }

  Error mismatch(const Node& node, const Shape& shape, const std::string& why) const {
    return error_at(cell_, node.location, ErrorCode::ShapeMismatch,
                    "shape mismatch: " + node.name + " is " + node.type.to_string() + why +
                        " but the tensor given for it is " + shape_text(shape));
  }

  static std::string shape_text(const Shape& shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ",") + std::to_string(shape[i]);
    return text + "]";
  }

  const Cell& cell_;
  const std::map<std::string, Shape>& shapes_;
  DimBindings bindings_;
};

}  // namespace

Result<DimBindings> infer_dims(const Cell& cell, const std::map<std::string, Shape>& shapes, DimBindings bindings) {
  return DimInference(cell, shapes, std::move(bindings)).run();
}

}  // namespace rnnc::ir
