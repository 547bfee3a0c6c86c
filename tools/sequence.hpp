// A network and a batch of sequences become results, by the compiled program or by the interpreter, with the same
// arguments and results.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <rnnc/program.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

#include "ir/rounding.hpp"
#include "tools/interface.hpp"
#include "tools/progress.hpp"

namespace rnnc::tools {

using Steps = std::map<std::string, std::int64_t>;  // by the name of a time

/// Draws random values for every input, of so many steps of each time. Where `ragged`, the lengths are uniform in
/// [1, steps], but one sequence has all steps. Indices of tables are rows that these have.
ir::NetworkBatch random_batch(const Interface& interface, const Steps& steps, std::int64_t sequences,
                              std::uint64_t seed, bool ragged);
ir::NetworkBatch random_batch(const Interface& interface, std::int64_t steps, std::int64_t sequences,
                              std::uint64_t seed, bool ragged);

struct Span {
  std::int64_t begin = 0, end = 0;
};

/// Cuts out these steps of every time, as far as the time has them, and these sequences.
ir::NetworkBatch slice(const ir::NetworkBatch& batch, const Interface& interface, Span steps, Span sequences);

/// Counts the bytes of the values of all nodes, as the interpreter keeps them, and of the states beside them.
double value_bytes(const ir::Network& network, const ir::NetworkBatch& batch);

/// Counts the bytes that run_compiled takes beside the batch.
double run_bytes(const Program& program, const Interface& interface, const ir::NetworkBatch& batch);

struct SequenceResult {
  std::vector<std::vector<float>> outputs;           // each [T, B, O], or [B, O] where it is a vector; the first is y
  std::map<std::string, std::vector<float>> states;  // the final ones
};

/// Holds a batch in the form that the program takes. It may run again and again, each time from the states that the run
/// before left.
class PreparedRun {
 public:
  PreparedRun(const Program& program, const Interface& interface, const ir::NetworkBatch& batch);
  PreparedRun(const PreparedRun&) = delete;
  PreparedRun& operator=(const PreparedRun&) = delete;

  RunStatus run() { return program_.run(state_, arguments_); }
  State& state() { return state_; }
  const std::vector<std::vector<float>>& outputs() const { return outputs_; }

 private:
  Program program_;
  State state_;
  std::vector<float> x_;
  std::vector<std::vector<float>> outputs_;
  std::vector<std::string> names_;  // of the outputs
  std::map<std::string, std::vector<std::int32_t>> lengths_;
  std::map<std::string, std::vector<float>> values_;
  std::vector<NamedInput> inputs_;
  std::vector<NamedTime> times_;
  std::vector<NamedOutput> named_outputs_;
  RunArguments arguments_;
};

/// Runs from the initial `states`; a state that is not among them begins at zero. Errors: InvalidData where the program
/// refuses the call.
Result<SequenceResult> run_compiled(const Program& program, const Interface& interface, const ir::NetworkBatch& batch,
                                    const ir::NamedVectors& states = {});

/// `weights` fit the network (compiler::check_weights).
SequenceResult run_interpreted(const ir::Network& network, const TensorMap& weights, const ir::NetworkBatch& batch,
                               ir::NamedVectors states = {});

/// Runs the interpreter from the initial `states` as run_interpreted does, and tells `report` of each piece. A piece is
/// some steps of a network that `streams` and whose outputs are all over its time, and one sequence of any other
/// network. With `rounding`, each operation is rounded by it.
SequenceResult run_in_pieces(const ir::Network& network, const TensorMap& weights, const ir::NetworkBatch& batch,
                             const ir::NamedVectors& states, bool streams, const Report& report,
                             ir::Rounding* rounding = nullptr);

// No limit is above this part of max(1, |value|): where rounding may do more, f32 computes hardly a digit, and an
// agreement would prove nothing.
inline constexpr double kMostRounding = 0.1;

/// Tells where two results differ most, as a multiple of the limit there. A NaN against a number is an infinite error,
/// against a NaN none.
struct Difference {
  double error = 0;        // |a - b| / max(1, |b|)
  std::string where;       // "y[t=3, b=0, 17]" or "final h[b=0, 17]"; "" where all is equal
  double limit = 0;        // of `error`, at that place
  double rounding = 0;     // the error that rounding may make there, in units of max(1, |b|)
  double a = 0, b = 0;     // the values
  std::string what;        // the name of an output, "y", or "final h"
  std::int64_t step = -1;  // -1 where the value is of no step
  std::int64_t sequence = 0, element = 0;
};

/// The limit of a difference between two results: `promised` of max(1, |b|), and more where `rounding` may do more.
struct Allowance {
  double promised = 1;
  const SequenceResult* rounding = nullptr;
};

/// Compares two results; states that `b` lacks and outputs that are empty there do not count.
Difference compare(const SequenceResult& a, const SequenceResult& b, const Interface& interface, std::int64_t batch,
                   const Allowance& allowance = {});

}  // namespace rnnc::tools
