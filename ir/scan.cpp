// A Scan gives dims, types and weights: the dims follow by matching the declarations of the cell with the arguments.
#include "ir/scan.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <rnnc/join.hpp>

#include "ir/check.hpp"
#include "ir/mistakes.hpp"
#include "ir/syntax.hpp"
#include "ir/verify.hpp"

namespace rnnc::ir {

namespace {

constexpr std::array<std::string_view, 4> kMergeNames = {"concat", "sum", "mean", "mul"};
constexpr std::array<std::string_view, 2> kPartNames = {"fwd", "bwd"};

std::string prefix_of(const Node& node) { return node.name.empty() ? "" : node.name + "."; }

std::string implied_name(const Node& node, const std::string& dim) { return prefix_of(node) + dim; }

std::vector<const Node*> declared(const Cell& cell, Op op) {
  std::vector<const Node*> found;
  for (const Node& node : cell.nodes) {
    if (node.op == op) found.push_back(&node);
  }
  return found;
}

std::vector<std::string> names_of(const std::vector<const Node*>& nodes) {
  std::vector<std::string> names;
  for (const Node* node : nodes) names.push_back(node->name);
  return names;
}

Type replace(Type type, const DimValues& dims) {
  for (Dim& dim : type.dims) dim = dim.replace(dims);
  return type;
}

// The state that a path such as "h", or "fwd.h" of two directions, names; or the text of the problem if it names none.
struct StatePath {
  const Node* state = nullptr;
  std::string problem;
};

StatePath find_state(const Node& node, const std::string& path) {
  const std::vector<const Node*> states = declared(*node.scan->cell, Op::State);
  const bool two = node.scan->direction == Direction::Bidirectional;
  const std::size_t dot = path.find('.');
  const std::string part = dot == std::string::npos ? "" : path.substr(0, dot);
  const std::string name = dot == std::string::npos ? path : path.substr(dot + 1);
  const bool part_fits = two ? part == kPartNames[0] || part == kPartNames[1] : part.empty();
  for (const Node* state : states) {
    if (part_fits && state->name == name) return {state, ""};
  }
  if (states.empty()) return {nullptr, node.scan->cell->name + " has no states"};
  std::vector<std::string> known;
  for (const std::string& prefix : scan_prefixes(node)) {
    for (const Node* state : states) known.push_back((prefix + state->name).substr(prefix_of(node).size()));
  }
  return {nullptr, node.name + " has no state " + path + "; it has " + join(known)};
}

// Matches each declaration of the cell with its argument, again and again, until no more dims follow.
class Matching : Mistakes {
 public:
  Matching(const Graph& graph, const Node& node) : Mistakes(graph, node), scan_(*node.scan), cell_(*scan_.cell) {}

  Result<DimValues> run() {
    for (const std::string& dim : cell_.dims) dims_[dim] = Dim::symbol(implied_name(node_, dim));
    for (const auto& [name, dim] : scan_.dims) {
      const auto found = dims_.find(name);
      if (found == dims_.end()) {
        return error(ErrorCode::Name, "cell " + cell_.name + " has no dim " + name +
                                          (cell_.dims.empty() ? "; it has none" : "; it has " + join(cell_.dims)));
      }
      found->second = dim;
    }
    if (Result<void> paired = pair_up(); !paired) return paired.error();
    for (bool more = true; more;) {
      more = false;
      for (const Pair& pair : pairs_) {
        const std::size_t rank = std::min(pair.declared->type.rank(), type(pair.operand).rank());
        for (std::size_t i = 0; i < rank; ++i) {
          more = solve(pair.declared->type.dims[i], type(pair.operand).dims[i]) || more;
        }
      }
    }
    if (Result<void> checked = check(); !checked) return checked.error();
    return std::move(dims_);
  }

 private:
  struct Pair {
    const Node* declared;
    std::size_t operand;
  };

  Result<void> pair_up() {
    const std::vector<const Node*> inputs = declared(cell_, Op::Input);
    if (node_.operands.size() < scan_.initial.size()) return error(ErrorCode::InvalidModel, "a scan without operands");
    const std::size_t arguments = scan_.arguments(node_);
    if (inputs.size() != arguments) {
      const std::string names = inputs.empty() ? "" : ", " + join(names_of(inputs));
      return error(ErrorCode::ShapeMismatch, cell_.name + " takes " + counted(inputs.size(), "argument") + names +
                                                 ", not " + std::to_string(arguments));
    }
    for (std::size_t i = 0; i < arguments; ++i) pairs_.push_back({inputs[i], i});
    for (std::size_t i = 0; i < scan_.initial.size(); ++i) {
      const StatePath path = find_state(node_, scan_.initial[i]);
      if (!path.state) return error(ErrorCode::Name, path.problem);
      if (std::count(scan_.initial.begin(), scan_.initial.end(), scan_.initial[i]) > 1) {
        return error(ErrorCode::Name, "state " + scan_.initial[i] + " begins with two values");
      }
      if (type(arguments + i).is_sequence()) {
        return mismatch("a state begins with one value, as last(...) is: " + is(arguments + i), {arguments + i});
      }
      pairs_.push_back({path.state, arguments + i});
    }
    return {};
  }

  // Finds the value of a dim of the cell, if it is the only unknown one and occurs once, to the first power.
  bool solve(const Dim& declared, const Dim& actual) {
    const Dim dim = declared.replace(dims_);
    std::string unknown;
    for (const std::string& symbol : dim.symbols()) {
      const std::string name = symbol.substr(std::min(symbol.size(), prefix_of(node_).size()));
      if (symbol != implied_name(node_, name) || !is_unknown(name)) continue;
      if (!unknown.empty()) return false;
      unknown = name;
    }
    if (unknown.empty()) return false;
    const std::optional<Dim> value = dim.solve(implied_name(node_, unknown), actual);
    if (value) dims_[unknown] = *value;
    return value.has_value();
  }

  bool is_unknown(const std::string& dim) const {
    const auto found = dims_.find(dim);
    return found != dims_.end() && found->second == Dim::symbol(implied_name(node_, dim));
  }

  // Tells whether a dim of the cell in `dim` has no value yet. Such a dim is compared when all dims are numbers.
  bool is_open(const Dim& dim) const {
    const std::vector<std::string> symbols = dim.symbols();
    return std::any_of(symbols.begin(), symbols.end(), [&](const std::string& symbol) { return is_unknown(symbol); });
  }

  Result<void> check() {
    for (const auto& [name, dim] : dims_) {
      if (dim.size() > kMaxDimSize) return error(ErrorCode::Limit, "a dim is a sum of too many terms");
      if (dim.is_constant() && dim.value() < 1) {
        return error(ErrorCode::ShapeMismatch,
                     "dim " + name + " of " + cell_.name + " is " + dim.to_string() + ", but a dim must be at least 1");
      }
    }
    for (const auto& [declared, operand] : pairs_) {
      const std::vector<Dim>& wanted = declared->type.dims;
      const std::vector<Dim>& found = type(operand).dims;
      bool fits = wanted.size() == found.size();
      for (std::size_t i = 0; fits && i < wanted.size(); ++i) {
        fits = is_open(wanted[i]) || wanted[i].replace(dims_) == found[i];
      }
      if (!fits) return wrong_shape(*declared, operand);
    }
    return {};
  }

  Error wrong_shape(const Node& wanted, std::size_t operand) const {
    const std::string what = wanted.op == Op::Input ? "input " : "state ";
    Error result = mismatch("shape mismatch: " + what + wanted.name + " of " + cell_.name + " is " +
                                replace(wanted.type, dims_).to_string() + " but " + is(operand),
                            {operand});
    if (wanted.location.line > 0)
      result.notes.push_back({cell_.place(wanted.location), wanted.name + " declared here"});
    return result;
  }

  const Scan& scan_;
  const Cell& cell_;
  std::vector<Pair> pairs_;
  DimValues dims_;
};

class ScanInference : Mistakes {
 public:
  using Mistakes::Mistakes;

  Result<Type> run() {
    if (!node_.scan || !node_.scan->cell) return error(ErrorCode::InvalidModel, "a scan of no cell");
    const Result<DimValues> dims = scan_dims(graph_, node_);
    if (!dims) return dims.error();
    const Scan& scan = *node_.scan;
    Type result = replace((*scan.cell)[scan.cell->output()].type, *dims);
    if (Result<void> time = find_time(result); !time) return time.error();
    if (scan.direction != Direction::Bidirectional) {
      if (scan.merge == Merge::Concat) return result;
      return error(ErrorCode::InvalidModel,
                   "merge joins two directions; write " + node_.name + " = bidirectional " + scan.cell->name + "(...)");
    }
    if (scan.merge != Merge::Concat) return result;
    if (result.rank() == 0) {
      return error(ErrorCode::ShapeMismatch,
                   "concat joins vectors, but the output of " + scan.cell->name + " is f32; merge sum, mean or mul");
    }
    result.dims[0] = Dim(2) * result.dims[0];
    return result;
  }

 private:
  Result<void> find_time(Type& result) {
    const Scan& scan = *node_.scan;
    result.axis = scan.steps;
    for (std::size_t i = 0; i < scan.arguments(node_); ++i) {
      if (!type(i).is_sequence()) continue;
      if (!scan.steps.empty() && type(i).axis != scan.steps) {
        return mismatch("the scan is one of steps " + scan.steps + " but " + is(i), {i});
      }
      result.axis = type(i).axis;
    }
    if (result.is_sequence()) return {};
    return error(ErrorCode::ShapeMismatch, "no argument of " + scan.cell->name +
                                               " is a sequence; to run it for a number of steps given at run time, "
                                               "write steps S behind its arguments");
  }
};

}  // namespace

std::string_view name_of(Merge merge) { return kMergeNames[static_cast<std::size_t>(merge)]; }

std::optional<Merge> find_merge(std::string_view name) {
  const auto* found = std::find(kMergeNames.begin(), kMergeNames.end(), name);
  if (found == kMergeNames.end()) return std::nullopt;
  return static_cast<Merge>(found - kMergeNames.begin());
}

std::vector<std::string> scan_prefixes(const Node& node) {
  if (node.scan->direction != Direction::Bidirectional) return {prefix_of(node)};
  std::vector<std::string> prefixes;
  for (const std::string_view part : kPartNames) prefixes.push_back(prefix_of(node) + std::string(part) + ".");
  return prefixes;
}

Result<DimValues> scan_dims(const Graph& graph, const Node& node) { return Matching(graph, node).run(); }

Result<Cell> scan_cell(const Graph& graph, const Node& node) {
  const Result<DimValues> dims = scan_dims(graph, node);
  if (!dims) return dims.error();
  DimBindings numbers;
  for (const auto& [name, dim] : *dims) {
    if (dim.is_constant()) numbers[name] = dim.value();
  }
  Result<Cell> bound = bind_dims(*node.scan->cell, numbers);
  if (bound) return bound;
  Error error = bound.error();
  if (node.location.line > 0)
    error.notes.push_back({graph.place(node.location), node.name + " runs " + node.scan->cell->name + " here"});
  return error;
}

std::vector<std::string> implied_dims(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) {
    if (node.op != Op::Scan) continue;
    const Result<DimValues> dims = scan_dims(graph, node);
    RNNC_ASSERT(dims.ok(), &graph);
    for (const std::string& dim : node.scan->cell->dims) {
      std::string name = implied_name(node, dim);
      if (dims->at(dim) == Dim::symbol(name)) names.push_back(std::move(name));
    }
  }
  return names;
}

Network network_of(const Cell& cell) {
  Network network;
  network.name = cell.name;
  network.source = cell.source;
  network.location = cell.location;
  std::vector<Value> inputs;
  for (const Node* input : declared(cell, Op::Input)) {
    Node sequence = *input;
    sequence.type.axis = kTime;
    inputs.push_back(network.append(std::move(sequence)));
  }
  const Scan scan = {.cell = std::make_shared<const Cell>(cell), .steps = std::string(kTime)};
  const Value output = network.append({.op = Op::Scan,
                                       .operands = std::move(inputs),
                                       .scan = std::make_shared<const Scan>(scan),
                                       .location = cell.location});
  network.statements.push_back({Statement::Kind::Output, "", output, cell.location});
  return network;
}

Result<Type> infer_scan(const Graph& graph, const Node& node) { return ScanInference(graph, node).run(); }

Result<Type> infer_final_state(const Graph& graph, const Node& node) {
  const Mistakes mistakes(graph, node);
  if (node.operands.size() != 1) return mistakes.wrong_count("a final state", "1 operand");
  const Node& scan = graph[node.operands[0]];
  if (scan.op != Op::Scan) {
    return mistakes.mismatch("only a scan has final states, as in a.h of a = lstm(x): " + mistakes.is(0), {0});
  }
  const StatePath path = find_state(scan, node.name);
  if (!path.state) return mistakes.error(ErrorCode::Name, path.problem);
  const Result<DimValues> dims = scan_dims(graph, scan);
  if (!dims) return dims.error();
  return replace(path.state->type, *dims);
}

Node over_time(const Graph& graph, Node node, std::string_view name, const std::vector<Value>& operands) {
  const OverTimeFacts* row = find_over_time(name);
  if (!row || operands.size() != 1) return node;
  if (node.op == Op::Reduce && !graph[operands[0]].type.is_sequence()) return node;
  node.op = Op::OverTime;
  node.over_time = row->over_time;
  node.reduction = {};
  return node;
}

std::set<std::string> begun_by_inputs(const Graph& graph) {
  std::vector<bool> varies(graph.nodes.size());
  std::set<std::string> states;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const auto does = [&](Value value) { return varies[value.index]; };
    varies[i] = node.op == Op::Input || node.op == Op::Scan || std::ranges::any_of(node.operands, does);
    if (node.op != Op::Scan) continue;
    for (const std::string& prefix : scan_prefixes(node)) {
      std::vector<std::string> begun;
      bool by_inputs = false;
      for (std::size_t k = 0; k < node.scan->initial.size(); ++k) {
        const std::string name = prefix_of(node) + node.scan->initial[k];
        if (!name.starts_with(prefix)) continue;
        begun.push_back(name);
        by_inputs = by_inputs || does(node.operands[node.scan->arguments(node) + k]);
      }
      if (by_inputs) states.insert(begun.begin(), begun.end());
    }
  }
  return states;
}

std::vector<Weight> weights_of(const Graph& graph) {
  std::vector<Weight> weights;
  for (const Node& node : graph.nodes) {
    if (node.op == Op::Param) weights.push_back({node.name, node.type, node.location});
    if (node.op != Op::Scan) continue;
    const Result<DimValues> dims = scan_dims(graph, node);
    RNNC_ASSERT(dims.ok(), &graph);
    for (const std::string& prefix : scan_prefixes(node)) {
      for (const Node* param : declared(*node.scan->cell, Op::Param)) {
        weights.push_back({prefix + param->name, replace(param->type, *dims), node.location});
      }
    }
  }
  return weights;
}

}  // namespace rnnc::ir
