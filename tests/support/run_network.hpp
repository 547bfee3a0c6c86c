// These functions compile a bound network and run it with the arguments of the interpreter.
#pragma once

#include <rnnc/compile.hpp>

#include "ir/interpret_network.hpp"
#include "tests/support/float_mode.hpp"

namespace rnnc::test {

Model model_of(const ir::Network& network);
TensorMap tensors_of(const ir::Network& network, const ir::NamedVectors& weights);

Program compile_network(const ir::Network& network, const ir::NamedVectors& weights,
                        const CompileOptions& options = {});

struct NetworkOutcome {
  std::vector<float> y;
  std::map<std::string, std::vector<float>> states;
  std::map<std::string, std::vector<float>> outputs = {};  // those after y, by name
  friend bool operator==(const NetworkOutcome&, const NetworkOutcome&) = default;
};

/// Of a network, as ir::times_of; of a cell, T.
std::vector<std::string> times_of(const ir::Graph& graph);

/// x of a run: the sequences of time T side by side, or all inputs of a cell.
std::vector<float> rows_of_x(const ir::Graph& graph, const ir::NetworkBatch& batch, std::int64_t steps);

/// The batch from the initial `states`; those that are not there begin at zero. Of a cell all inputs are of time T.
/// The state is made for `max_steps`, or where that is 0 for as many as the batch has. If there is a `mode`, the
/// program is called in it; if there is a `workspace`, the state has none.
NetworkOutcome run_network(const Program& program, const ir::Graph& network, const ir::NetworkBatch& batch,
                           const ir::NamedVectors& states = {}, std::int64_t max_steps = 0,
                           const FloatMode* mode = nullptr, Workspace* workspace = nullptr);

/// The largest |jit - interpreter| / max(1, |interpreter|) over outputs and final states.
double error_against_interpreter(const ir::Network& network, const ir::NamedVectors& weights,
                                 const ir::NetworkBatch& batch, ir::NamedVectors states, const NetworkOutcome& outcome);

}  // namespace rnnc::test
