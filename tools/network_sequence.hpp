// A batch of sequences through a network, on the compiled program or on the interpreter, with the same arguments and
// results as sequence.hpp has for cells.
#pragma once

#include "ir/interpret_network.hpp"
#include "tools/sequence.hpp"

namespace rnnc::tools {

/// Of a bound network: the row of x, of y, and all states with their names.
Interface interface_of(const ir::Network& network);

/// Random values for every input of a bound network, `steps` of each of its times. `ragged`: lengths uniform in [1,
/// steps], but one sequence of all steps.
ir::NetworkBatch random_batch(const ir::Network& network, std::int64_t steps, std::int64_t sequences,
                              std::uint64_t seed, bool ragged);

/// What the values of all nodes take, in bytes, as the interpreter keeps them.
double value_bytes(const ir::Network& network, const ir::NetworkBatch& batch);

/// A batch as the program takes it: to be called again and again.
class NetworkCall {
 public:
  NetworkCall(const Program& program, const ir::Network& network, const ir::NetworkBatch& batch);
  NetworkCall(const NetworkCall&) = delete;
  NetworkCall& operator=(const NetworkCall&) = delete;

  State make_state() const { return program_.make_state(sequences_, most_steps_); }
  RunStatus run(State& state);
  const std::vector<float>& y() const { return y_; }

 private:
  Program program_;
  std::int64_t sequences_ = 0, steps_ = 0, most_steps_ = 0;
  std::vector<float> x_, y_;
  std::map<std::string, std::vector<std::int32_t>> lengths_;
  std::map<std::string, std::vector<float>> values_;
  std::vector<NamedInput> inputs_;
  std::vector<NamedTime> times_;
};

/// From the initial `states`; those that are not there begin at zero. Errors: InvalidData where the program refuses the
/// call.
Result<SequenceResult> run_compiled(const Program& program, const ir::Network& network, const ir::NetworkBatch& batch,
                                    const ir::NamedVectors& states = {});

/// `weights` fit the network (check_weights).
SequenceResult run_interpreted(const ir::Network& network, const TensorMap& weights, const ir::NetworkBatch& batch,
                               ir::NamedVectors states = {});

/// The same from states of zero, one sequence after the other, of which `report` hears.
SequenceResult run_each_interpreted(const ir::Network& network, const TensorMap& weights, const ir::NetworkBatch& batch,
                                    const Report& report);

}  // namespace rnnc::tools
