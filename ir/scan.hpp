// A cell over a sequence: what the text of a Scan says, and what follows for its dims, states and weights.
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
  DimValues dims;                    // those that are given; others follow from the arguments, or from weights
  Direction direction = Direction::Forward;
  Merge merge = Merge::Concat;
  std::string steps;                 // the time it runs over where no argument tells
  std::vector<std::string> initial;  // "h" or "fwd.h": the states that the last operands begin

  std::size_t arguments(const Node& node) const { return node.operands.size() - initial.size(); }
};

/// The names of its parts: "a.", or "a.fwd." and "a.bwd."; "" of a scan without a name. Weights and states of a part
/// begin with it.
std::vector<std::string> scan_prefixes(const Node& node);

/// Every dim of the cell, in terms of the graph's. One that neither the text nor an argument tells is a dim of the
/// network, `a.H`. Errors: ShapeMismatch, Usage (dims that the cell lacks), Limit.
Result<DimValues> scan_dims(const Graph& graph, const Node& node);

/// The cell with numbers for its dims, of a node in a bound network.
Result<Cell> scan_cell(const Graph& graph, const Node& node);

/// The network that runs a bound cell over the time T and does nothing else: its scan has no name, so that weights and
/// states keep those of the cell.
Network network_of(const Cell& cell);

/// Dims of a network that no head declares: the `a.H` of its scans.
std::vector<std::string> implied_dims(const Graph& graph);

/// The type of a Scan or FinalState (infer_type's part of networks).
Result<Type> infer_scan(const Graph& graph, const Node& node);
Result<Type> infer_final_state(const Graph& graph, const Node& node);

/// `node`, a call of `name`, or the OverTime that the same call means where its operand is a sequence. A name that is
/// no reduction's means one of any operand, which infer_type then refuses.
Node over_time(const Graph& graph, Node node, std::string_view name, const std::vector<Value>& operands);

/// States, `a.h` or `a.fwd.h`, that begin anew at each call of the network: those of a scan, or of one direction of it,
/// that begins with something that depends on inputs. Others may go on from one call to the next.
std::set<std::string> begun_by_inputs(const Graph& graph);

/// A tensor that a graph takes: its own parameters, and those of the cells it scans, `a.Wi`.
struct Weight {
  std::string name;
  Type type;
  Location location;  // of the parameter, or the scan
};

/// The graph is verified.
std::vector<Weight> weights_of(const Graph& graph);

}  // namespace rnnc::ir
