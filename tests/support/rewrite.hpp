// These functions copy a graph with some nodes replaced, as the reducer needs it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "tests/support/subject.hpp"

namespace rnnc::test {

struct Rewrite {
  std::map<std::uint32_t, ir::Value> aliases;  // an earlier node stands for this one
  std::map<std::uint32_t, ir::Node> nodes;     // another node in its place; operands are nodes of the old graph
  std::vector<ir::Statement> statements;       // all there are; values are nodes of the old graph
  bool keep_inputs = false;                    // those that nothing reads too: who scans the cell gives them
};

/// What the statements reach. Nothing where it does not verify.
std::optional<ir::Graph> rewrite(const ir::Graph& graph, const Rewrite& rewrite);

/// The subject with weights for all that its graph needs and no others; those that are new are random.
Subject with_weights(ir::Graph graph, const Weights& weights);

}  // namespace rnnc::test
