// Gradients of the interpreter, from the two networks that compiler/gradient makes, are compared here with differences
// of the network itself.
#pragma once

#include <optional>
#include <string>

#include "ir/interpret_network.hpp"
#include "reference/gradients.hpp"
#include "tests/support/subject.hpp"

namespace rnnc::test {

using reference::Cotangents;
using reference::Gradients;

/// Cotangents within 1 for all outputs, and last states, of a batch. Rows behind the end of a sequence have none.
Cotangents random_cotangents(const ir::Network& network, const ir::NetworkBatch& batch, std::uint64_t seed);

/// Makes the two networks that train the network, verifies them, and runs both.
Gradients interpret_gradients(const ir::Network& network, const ir::NamedVectors& weights,
                              const ir::NetworkBatch& batch, const ir::NamedVectors& states,
                              const Cotangents& cotangents);

/// The sum of outputs and last states of the network, multiplied with the cotangents.
double weighted_sum(const ir::Network& network, const ir::NamedVectors& weights, const ir::NetworkBatch& batch,
                    ir::NamedVectors states, const Cotangents& cotangents);

/// The network of a subject, which may be a cell, and its weights in double precision.
ir::Network network_of(const Subject& subject);
ir::NamedVectors doubles_of(const Subject& subject);

/// The directions of a trial: those whose derivative was checked, and those at a kink or jump, which have none.
struct GradientCounts {
  int checked = 0, kinks = 0;
};

/// Compares the gradients of all weights, states and inputs, each along one random direction, with differences of the
/// interpreter. The result is empty where both agree to 1e-8.
std::optional<std::string> gradient_fault(const Subject& subject, const Setting& setting,
                                          GradientCounts* counts = nullptr);

}  // namespace rnnc::test
