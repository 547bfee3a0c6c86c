// The interpreter runs one step of one sequence, for tests that work a cell out by hand.
#pragma once

#include "ir/interpret.hpp"
#include "tests/support/catch.hpp"

namespace rnnc::test {

/// Values of one sequence.
struct Environment {
  ir::NamedVectors params;
  ir::NamedVectors inputs;
  ir::NamedVectors states;
};

/// Advances `environment.states`, which has all states of the cell, by one step and returns the output.
inline ir::Vector interpret_step(const ir::Cell& cell, Environment& environment) {
  ir::Batch batch{1, 1, {}, {}};
  for (const ir::Node& node : cell.nodes) {
    if (node.op == ir::Op::State) REQUIRE(environment.states.contains(node.name));
    if (node.op != ir::Op::Input) continue;
    const ir::Vector& values = environment.inputs.at(node.name);
    batch.x.insert(batch.x.end(), values.begin(), values.end());
  }
  return ir::interpret(cell, environment.params, batch, environment.states);
}

}  // namespace rnnc::test
