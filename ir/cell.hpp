// A graph is a cell or a network; a module is the content of a file.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ir/graph.hpp"

namespace rnnc::ir {

/// A cell computes one step of one sequence.
struct Cell : Graph {
  Cell() = default;
  explicit Cell(Graph graph) : Graph(std::move(graph)) {}

  Value next_of(const std::string& state) const;  // the value that the state's Next statement names
};

/// A network runs cells over sequences and computes expressions between them.
struct Network : Graph {
  Network() { kind = Kind::Network; }
  explicit Network(Graph graph) : Graph(std::move(graph)) {}
};

struct Module {
  std::shared_ptr<const SourceText> source;
  std::vector<Cell> cells;
  std::vector<Network> networks;

  const Cell* find(const std::string& name) const;
  const Network* find_network(const std::string& name) const;

  /// Returns the cell or network `name`; without a name, the only network, or the only cell of a module without
  /// networks. Errors: Name.
  Result<const Graph*> choose(const std::string& name) const;
};

}  // namespace rnnc::ir
