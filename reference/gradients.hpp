// Gradients are computed here in double precision: by the interpreter, from the two networks that compiler/gradient
// makes. Nothing in compiler/ includes this: what it computes is compared with these numbers.
#pragma once

#include <vector>

#include "compiler/gradient/network_gradient.hpp"
#include "ir/interpret_network.hpp"

namespace rnnc::reference {

struct Gradients {
  std::vector<ir::Vector> outputs;
  ir::NamedVectors inputs, weights, states;  // the cotangents by the names of the network; of states, of the first
};

/// Cotangents multiply the outputs and the last states in the sum whose gradient is wanted.
struct Cotangents {
  std::vector<ir::Vector> outputs;
  ir::NamedVectors states;
};

/// Runs both networks and adds up the terms of parameters. `gradient` is that of `network`, and `states` has either all
/// states or none.
Gradients interpret_gradients(const ir::Network& network, const compiler::NetworkGradient& gradient,
                              const ir::NamedVectors& weights, const ir::NetworkBatch& batch,
                              const ir::NamedVectors& states, const Cotangents& cotangents);

}  // namespace rnnc::reference
