// Symbolic dims become numbers: the caller gives them, or they follow from the shapes of weights.
#include <algorithm>
#include <set>

#include <rnnc/join.hpp>

#include "ir/scan.hpp"
#include "ir/syntax.hpp"
#include "ir/verify.hpp"

namespace rnnc::ir {

namespace {

Error error_at(const Graph& graph, Location location, ErrorCode code, std::string message) {
  return {code, graph.place(location), std::move(message)};
}

void add_symbols(const Dim& dim, std::set<std::string>& to) {
  for (std::string& symbol : dim.symbols()) to.insert(std::move(symbol));
}

// Returns the dims that some declaration, slice or weight uses; the value of any other dim makes no difference.
std::set<std::string> used_dims(const Graph& graph) {
  std::set<std::string> used;
  for (const Node& node : graph.nodes) {
    for (const Dim& dim : node.type.dims) add_symbols(dim, used);
    for (const Range& range : node.ranges) add_symbols(range.begin, used), add_symbols(range.end, used);
    if (node.op != Op::Scan) continue;
    const std::set<std::string> inside = used_dims(*node.scan->cell);
    const DimValues dims = scan_dims(graph, node).value();
    for (const std::string& dim : inside) add_symbols(dims.at(dim), used);
  }
  return used;
}

Result<void> check_bindings(const Graph& graph, const DimBindings& bindings) {
  const std::string where = std::string(graph.kind_name()) + " " + graph.name;
  std::vector<std::string> dims = graph.dims;
  for (std::string& dim : implied_dims(graph)) dims.push_back(std::move(dim));
  const std::set<std::string_view> known(dims.begin(), dims.end());
  for (const auto& [name, value] : bindings) {
    if (!known.contains(name)) {
      const std::string there = dims.empty() ? "; it has none" : "; it has " + join(dims);
      return error_at(graph, graph.location, ErrorCode::Usage,
                      where + " has no dim " + name + there + did_you_mean(name, dims));
    }
    if (value < 1) {
      return error_at(graph, graph.location, ErrorCode::Usage,
                      where + ": dim " + name + " is " + std::to_string(value) + ", but must be at least 1");
    }
  }
  const std::set<std::string> used = used_dims(graph);
  for (const std::string& name : dims) {
    if (bindings.count(name) == 0 && used.count(name) != 0) {
      return error_at(graph, graph.location, ErrorCode::Usage,
                      where + ": dim " + name + " has no value; give one, as in " + name + "=128");
    }
  }
  return {};
}

// Returns the scan with numbers for the dims that its text gives, and for the dims of the network (`a.H`) that have
// one.
std::shared_ptr<const Scan> bind_scan(const Node& node, const DimBindings& bindings) {
  Scan scan = *node.scan;
  for (auto& [name, dim] : scan.dims) dim = dim.substitute(bindings);
  for (const std::string& name : scan.cell->dims) {
    const auto found = bindings.find(node.name + "." + name);
    if (found != bindings.end()) scan.dims.try_emplace(name, found->second);
  }
  return std::make_shared<const Scan>(std::move(scan));
}

template <class AnyGraph>
Result<AnyGraph> bind_graph(const AnyGraph& graph, const DimBindings& bindings) {
  if (Result<void> checked = check_bindings(graph, bindings); !checked) return checked.error();
  AnyGraph bound;
  bound.name = graph.name;
  bound.source = graph.source;
  bound.location = graph.location;
  bound.statements = graph.statements;
  bound.nodes.reserve(graph.nodes.size());
  for (Node node : graph.nodes) {
    for (Dim& dim : node.type.dims) dim = dim.substitute(bindings);
    for (Range& range : node.ranges) {
      range = {range.begin.substitute(bindings), range.end.substitute(bindings)};
    }
    if (node.op == Op::Scan) node.scan = bind_scan(node, bindings);
    Result<Type> type = infer_type(bound, node);
    if (!type) return type.error();
    node.type = std::move(*type);
    if (node.op == Op::Scan) {
      if (Result<Cell> cell = scan_cell(bound, node); !cell) return cell.error();
    }
    bound.nodes.push_back(std::move(node));
  }
  if (Result<void> verified = verify(bound); !verified) return verified.error();
  return bound;
}

}  // namespace

Result<Cell> bind_dims(const Cell& cell, const DimBindings& bindings) { return bind_graph(cell, bindings); }
Result<Network> bind_dims(const Network& network, const DimBindings& bindings) { return bind_graph(network, bindings); }

namespace {

class DimInference {
 public:
  DimInference(const Graph& graph, const std::map<std::string, Shape>& shapes, DimBindings bindings)
      : graph_(graph), shapes_(shapes), weights_(weights_of(graph)), bindings_(std::move(bindings)) {}

  Result<DimBindings> run() {
    if (Result<void> ranks = check_ranks(); !ranks) return ranks.error();
    // A dim that one shape gives may be needed by another shape: `f32[I+H]` gives I once H is known.
    for (std::size_t known = bindings_.size() + 1; known != bindings_.size();) {
      known = bindings_.size();
      for (const Weight& weight : weights_) {
        if (Result<void> result = visit(weight); !result) return result.error();
      }
    }
    return std::move(bindings_);
  }

 private:
  const Shape* shape_of(const Weight& weight) const {
    const auto found = shapes_.find(weight.name);
    return found == shapes_.end() ? nullptr : &found->second;
  }

  Result<void> check_ranks() const {
    for (const Weight& weight : weights_) {
      const Shape* shape = shape_of(weight);
      if (shape && shape->size() != weight.type.rank()) return mismatch(weight, *shape, "");
    }
    return {};
  }

  Result<void> visit(const Weight& weight) {
    const Shape* shape = shape_of(weight);
    if (!shape) return {};
    for (std::size_t i = 0; i < shape->size(); ++i) {
      const std::int64_t size = (*shape)[i];
      const Dim dim = weight.type.dims[i].substitute(bindings_);
      const std::string symbol = dim.linear_symbol();
      if (dim.is_constant()) {
        if (dim.value() != size) return mismatch(weight, *shape, known_text(weight.type.dims[i]));
      } else if (!symbol.empty() && !solve(dim, symbol, size)) {
        return mismatch(weight, *shape, " for any " + symbol + " of at least 1");
      }
    }
    return {};
  }

  bool solve(const Dim& dim, const std::string& symbol, std::int64_t size) {
    const std::optional<Dim> value = dim.solve(symbol, size);
    if (!value || value->value() < 1) return false;
    bindings_[symbol] = value->value();
    return true;
  }

  // Returns " with H=64, I=3": the bindings that the value of a dim was computed with.
  std::string known_text(const Dim& dim) const {
    std::vector<std::string> known;
    for (const std::string& symbol : dim.symbols())
      if (const auto bound = bindings_.find(symbol); bound != bindings_.end())
        known.push_back(symbol + "=" + std::to_string(bound->second));
    return known.empty() ? "" : " with " + join(known);
  }

  Error mismatch(const Weight& weight, const Shape& shape, const std::string& why) const {
    return error_at(graph_, weight.location, ErrorCode::ShapeMismatch,
                    "shape mismatch: " + weight.name + " is " + weight.type.to_string() + why +
                        " but the tensor given for it is " + to_string(shape));
  }

  const Graph& graph_;
  const std::map<std::string, Shape>& shapes_;
  std::vector<Weight> weights_;
  DimBindings bindings_;
};

}  // namespace

Result<DimBindings> infer_dims(const Graph& graph, const std::map<std::string, Shape>& shapes, DimBindings bindings) {
  return DimInference(graph, shapes, std::move(bindings)).run();
}

}  // namespace rnnc::ir
