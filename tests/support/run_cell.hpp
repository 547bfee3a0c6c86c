// These functions compile a bound cell and run it beside the interpreter.
#pragma once

#include <rnnc/compile.hpp>
#include <rnnc/executor.hpp>
#include <rnnc/program.hpp>

#include <map>
#include <string>
#include <vector>

#include "ir/cell.hpp"
#include "ir/interpret.hpp"

namespace rnnc::test {

using Weights = std::map<std::string, std::vector<float>>;

/// A bound cell of ir/cells; dims beside I and H (of projections, of heads) get half of H.
ir::Cell standard(const std::string& name, std::int64_t input_size, std::int64_t hidden_size);

/// Dense weights of either sign, uniform in +-1/sqrt(columns).
Weights random_weights(const ir::Cell& cell, std::uint64_t seed);

TensorMap tensors_of(const ir::Cell& cell, const Weights& weights);

/// All that can run a cell here: the CPU levels, and "portable LEVEL" of each level that the portable executor is built
/// for.
std::vector<std::string> executors();
/// Options for one of these, or for any other CPU.
CompileOptions options_for(const std::string& executor);

/// `cpu` may be any of executors().
Program compile_cell(const ir::Cell& cell, const Weights& weights, const std::string& cpu, int threads = 1,
                     std::shared_ptr<Executor> executor = nullptr, Sharing sharing = Sharing::Auto,
                     const std::string& plan = "");

struct Sequences {
  std::int64_t steps = 0, batch = 0;
  std::vector<float> x;                              // [T, B, I]
  std::map<std::string, std::vector<float>> states;  // initial ones, [B, H]
};

/// Inputs and initial states in [-1, 1].
Sequences random_sequences(const ir::Cell& cell, std::int64_t steps, std::int64_t batch, std::uint64_t seed);

struct Outcome {
  std::vector<float> y;
  std::map<std::string, std::vector<float>> states;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome run(const Program& program, const Sequences& sequences);

/// The largest |jit - interpreter| / max(1, |interpreter|) over outputs and final states.
double error_against_interpreter(const ir::Cell& cell, const Weights& weights, const Sequences& sequences,
                                 const Outcome& outcome);

/// The largest error, relative above 1; infinite where sizes differ or one alone is NaN.
double worst_error(const std::vector<float>& ours, const ir::Vector& exact);

}  // namespace rnnc::test
