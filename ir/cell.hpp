// The two kinds of graphs, and what a file holds of them.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.hpp"

namespace rnnc::ir {

/// One step of one sequence.
struct Cell : Graph {
  Cell() = default;
  explicit Cell(Graph graph) : Graph(std::move(graph)) {}

  Value next_of(const std::string& state) const;  // the value that the state's Next statement names
};

/// Cells over sequences, and expressions between them.
struct Network : Graph {
  Network() { kind = Kind::Network; }
  explicit Network(Graph graph) : Graph(std::move(graph)) {}
};

struct Module {
  std::string file;
  std::vector<Cell> cells;
  std::vector<Network> networks;

  const Cell* find(const std::string& name) const;
  const Network* find_network(const std::string& name) const;
};

}  // namespace rnnc::ir
