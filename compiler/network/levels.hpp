// The levels of a network's nodes: the number of scans, functions over time and calls of other expressions between the
// inputs and each node, from which the cut into calls follows.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "ir/cell.hpp"

namespace rnnc::compiler {

// The role of a node in the list of calls. A static value depends on weights alone, and each call that needs the value
// computes it. A view is a slice or a concatenation: it becomes columns of buffers, or part of the expression that
// needs it.
enum class Role : std::uint8_t { Static, Input, Scan, FinalState, OverTime, View, Expression };

using Index = std::uint32_t;

// Levels finds the role and the level of each node, and the nodes that the node reads.
struct Levels {
  explicit Levels(const ir::Network& network);

  bool is_expression(Index i) const { return roles[i] == Role::Expression; }
  const std::string& axis(Index i) const { return network.nodes[i].type.axis; }
  bool together(Index a, Index b) const {
    return is_expression(a) && is_expression(b) && level[a] == level[b] && axis(a) == axis(b);
  }

  const ir::Network& network;
  std::vector<Role> roles;
  std::vector<bool> live;
  std::vector<std::vector<Index>> bases;    // for each node, itself, or the nodes that a view shows
  std::vector<std::vector<Index>> sources;  // for each node but views, the bases of its operands
  std::vector<int> level;
  std::set<Index> read;  // expressions and static values that need columns of a buffer

 private:
  void find_roles();
  void find_live();
  void find_bases();
  void rise();
  void sink();
  void find_read();
};

}  // namespace rnnc::compiler
