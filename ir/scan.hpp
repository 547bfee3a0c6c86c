// A scan runs a cell over a sequence: this header has the content of a Scan's text, and the dims, states and weights
// that follow from it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <rnnc/direction.hpp>
#include <rnnc/result.hpp>
#include "ir/cell.hpp"

namespace rnnc::ir {

std::string_view name_of(Merge merge);
std::optional<Merge> find_merge(std::string_view name);

struct Scan {
  std::shared_ptr<const Cell> cell;  // as it was declared, verified
  DimValues dims = {};               // the dims that the text gives; others follow from the arguments, or from weights
  Direction direction = Direction::Forward;
  Merge merge = Merge::Concat;
  std::string steps = {};                 // the time of the scan if no argument is a sequence
  std::vector<std::string> initial = {};  // "h" or "fwd.h": the states whose first values are the last operands

  std::size_t arguments(const Node& node) const { return node.operands.size() - initial.size(); }
};

/// Returns the prefixes of its parts: "a.", or "a.fwd." and "a.bwd."; "" for a scan without a name. The weights and
/// states of a part begin with the prefix.
std::vector<std::string> scan_prefixes(const Node& node);

/// Returns every dim of the cell, in terms of the dims of the graph. A dim that neither the text nor an argument gives
/// is a dim of the network, `a.H`. Errors: ShapeMismatch, Usage (dims that the cell lacks), Limit.
Result<DimValues> scan_dims(const Graph& graph, const Node& node);

/// Returns the cell with numbers for its dims, for a node of a bound network.
Result<Cell> scan_cell(const Graph& graph, const Node& node);

/// Returns the network that runs a bound cell over the time T and does nothing else. Its scan has no name, so that
/// weights and states keep the names of the cell.
Network network_of(const Cell& cell);

/// Returns the dims of a network that no head declares: the `a.H` of its scans.
std::vector<std::string> implied_dims(const Graph& graph);

/// These return the type of a Scan or FinalState; infer_type calls them.
Result<Type> infer_scan(const Graph& graph, const Node& node);
Result<Type> infer_final_state(const Graph& graph, const Node& node);

/// Returns `node`, which is a call of `name`; or, if the call means a function over time, the OverTime node. A call
/// means it if its operand is a sequence or no reduction has that name. infer_type refuses an operand that is no
/// sequence.
Node over_time(const Graph& graph, Node node, std::string_view name, const std::vector<Value>& operands);

/// Returns the states, `a.h` or `a.fwd.h`, that begin anew at each call of the network: if one initial value of a scan,
/// or of one direction of it, depends on inputs, then all its states with initial values begin anew. Other states may
/// go on from one call to the next.
std::set<std::string> begun_by_inputs(const Graph& graph);

/// A tensor that a graph needs: one of its own parameters, or of a cell that it scans, `a.Wi`.
struct Weight {
  std::string name;
  Type type;
  Location location;  // of the parameter, or the scan
};

/// Returns the weights of a verified graph.
std::vector<Weight> weights_of(const Graph& graph);

}  // namespace rnnc::ir
