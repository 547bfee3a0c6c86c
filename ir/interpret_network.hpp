// This interpreter defines the meaning of a network: it runs the interpreter of cells for each scan and computes
// expressions step by step. Networks must be bound and verified, and every named value must have its size: both are
// asserted.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ir/cell.hpp"
#include "ir/interpret.hpp"

namespace rnnc::ir {

/// A time axis that sequences have.
struct Time {
  std::int64_t steps = 0;
  std::vector<std::int64_t> lengths;  // [B], each in [0, steps]; empty where every sequence has all steps
};

struct NetworkBatch {
  std::int64_t sequences = 0;         // B
  std::map<std::string, Time> times;  // each that times_of(network) names
  NamedVectors inputs;                // by name; a sequence [steps, B, I], a vector [B, I]
};

/// Returns the times of a network's inputs and scans: kTime and those with names.
std::vector<std::string> times_of(const Network& network);

/// Runs the batch and returns each output in order: a sequence [steps, B, O], 0 behind the end of each, or a vector
/// [B, O].
///
/// States    by name, `a.h` or `a.fwd.h`, [B, H]. A state that `states` lacks starts at zero, or at the value that the
///           network gives it; a state of begun_by_inputs starts at its value of the network in any case. On return
///           `states` has the final value of every state.
std::vector<Vector> interpret_outputs(const Network& network, const NamedVectors& weights, const NetworkBatch& batch,
                                      NamedVectors& states);

/// Returns the first output only.
Vector interpret(const Network& network, const NamedVectors& weights, const NetworkBatch& batch, NamedVectors& states);

}  // namespace rnnc::ir
