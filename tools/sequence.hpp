// A batch of sequences through a cell, on the compiled program or on the interpreter, with the same arguments and
// results.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <rnnc/program.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

#include "ir/cell.hpp"
#include "tools/progress.hpp"

namespace rnnc::tools {

struct NamedSize {
  std::string name;
  std::int64_t size = 0;  // floats of one sequence; a scalar counts as 1
};

/// What a bound cell takes and gives.
struct Interface {
  std::int64_t input_size = 0, output_size = 0;
  std::vector<NamedSize> states;
  std::vector<NamedSize> vectors = {};  // inputs of a network by name, one row a sequence
  bool output_over_time = true;         // else y is [B, O]
};

Interface interface_of(const ir::Cell& cell);

struct Sequence {
  std::int64_t steps = 0, batch = 0;
  std::vector<float> x;                                    // [T, B, I]
  std::vector<std::int32_t> lengths;                       // [B], or empty
  std::map<std::string, std::vector<float>> states;        // initial, [B, size] each; one that is not there is zero
  std::map<std::string, std::vector<float>> vectors = {};  // of the interface, [B, size] each
};

struct SequenceResult {
  std::vector<float> y;                              // [T, B, O]
  std::map<std::string, std::vector<float>> states;  // final
};

Result<SequenceResult> run_compiled(const Program& program, const Sequence& sequence);

/// `cell` is bound, and `weights` fit it (check_weights). `report`, if any, hears of pieces of many steps.
SequenceResult run_interpreted(const ir::Cell& cell, const TensorMap& weights, const Sequence& sequence,
                               const Report& report = {});

/// Where two results differ most. A NaN against a number is an infinite error, against a NaN none.
struct Difference {
  double error = 0;   // |a - b| / max(1, |b|)
  std::string where;  // "y[t=3, b=0, 17]" or "final h[b=0, 17]"; "" where all is equal
  void consider(double a, double b, const std::string& name, std::int64_t index, std::int64_t batch, std::int64_t size,
                bool in_time);
};

Difference compare(const SequenceResult& a, const SequenceResult& b, const Interface& interface, std::int64_t batch);

/// The steps [0, steps) and sequences [0, batch) of `sequence`, which has no lengths.
Sequence first_part(const Sequence& sequence, std::int64_t steps, std::int64_t batch, std::int64_t input_size);

}  // namespace rnnc::tools
