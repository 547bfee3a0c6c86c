// A batch of sequences through a network, on the compiled program or on the interpreter, with the same arguments and
// results.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <rnnc/program.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

#include "ir/interpret_network.hpp"
#include "tools/interface.hpp"
#include "tools/progress.hpp"

namespace rnnc::tools {

/// Random values for every input, `steps` of each time. `ragged`: lengths uniform in [1, steps], but one sequence of
/// all steps.
ir::NetworkBatch random_batch(const Interface& interface, std::int64_t steps, std::int64_t sequences,
                              std::uint64_t seed, bool ragged);

struct Span {
  std::int64_t begin = 0, end = 0;
};

/// These steps of every time, where it has them, and these sequences.
ir::NetworkBatch slice(const ir::NetworkBatch& batch, const Interface& interface, Span steps, Span sequences);

/// What the values of all nodes take, in bytes, as the interpreter keeps them, and the states beside them.
double value_bytes(const ir::Network& network, const ir::NetworkBatch& batch);

/// What run_compiled takes, in bytes, beside the batch.
double run_bytes(const Program& program, const Interface& interface, const ir::NetworkBatch& batch);

struct SequenceResult {
  std::vector<float> y;                              // [T, B, O], or of a vector [B, O]
  std::map<std::string, std::vector<float>> states;  // final
};

/// A batch as the program takes it: to be run again and again, from the states that the run before left.
class PreparedRun {
 public:
  PreparedRun(const Program& program, const Interface& interface, const ir::NetworkBatch& batch);
  PreparedRun(const PreparedRun&) = delete;
  PreparedRun& operator=(const PreparedRun&) = delete;

  RunStatus run() { return program_.run(arguments_); }
  State& state() { return state_; }
  const std::vector<float>& y() const { return y_; }

 private:
  Program program_;
  State state_;
  std::vector<float> x_, y_;
  std::map<std::string, std::vector<std::int32_t>> lengths_;
  std::map<std::string, std::vector<float>> values_;
  std::vector<NamedInput> inputs_;
  std::vector<NamedTime> times_;
  RunArguments arguments_;
};

/// From the initial `states`; those that are not there begin at zero. Errors: InvalidData where the program refuses the
/// call.
Result<SequenceResult> run_compiled(const Program& program, const Interface& interface, const ir::NetworkBatch& batch,
                                    const ir::NamedVectors& states = {});

/// `weights` fit the network (compiler::check_weights).
SequenceResult run_interpreted(const ir::Network& network, const TensorMap& weights, const ir::NetworkBatch& batch,
                               ir::NamedVectors states = {});

/// The same from states of zero, of which `report` hears piece by piece: of a network that `streams` some steps are
/// one, of others a sequence.
SequenceResult run_in_pieces(const ir::Network& network, const TensorMap& weights, const ir::NetworkBatch& batch,
                             bool streams, const Report& report);

/// Where two results differ most. A NaN against a number is an infinite error, against a NaN none.
struct Difference {
  double error = 0;   // |a - b| / max(1, |b|)
  std::string where;  // "y[t=3, b=0, 17]" or "final h[b=0, 17]"; "" where all is equal
  void consider(double a, double b, const std::string& name, std::int64_t index, std::int64_t batch, std::int64_t size,
                bool in_time);
};

/// States that `b` lacks do not count.
Difference compare(const SequenceResult& a, const SequenceResult& b, const Interface& interface, std::int64_t batch);

}  // namespace rnnc::tools
