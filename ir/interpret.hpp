// The interpreter defines the meaning of a cell, with double precision, plain loops and libm. It shares no formula with
// the code generator. Cells must be bound (no symbolic dims) and verified, and every named value must have its size:
// both are asserted.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ir/cell.hpp"

namespace rnnc::ir {

/// The elements of a value: a scalar has one element; a matrix is row-major.
using Vector = std::vector<double>;
using NamedVectors = std::map<std::string, Vector>;

/// Computes one scalar function on doubles, as op.hpp says; `operands` has as many elements as the function's row asks
/// for.
double evaluate(Function function, const double* operands);

/// Computes one reduction; the variance of layer_norm is the mean of squared deviations.
Vector evaluate(Reduction reduction, const std::vector<Vector>& operands);

/// A batch of sequences.
struct Batch {
  std::int64_t steps = 0;             // T
  std::int64_t sequences = 0;         // B
  Vector x;                           // [T, B, I]; the inputs of a step one after the other, in order of declaration
  std::vector<std::int64_t> lengths;  // [B], each in [0, T]; empty where every sequence has T steps
};

/// Runs each sequence of the batch over its own length and returns y.
///
/// Shapes    y [T, B, O], 0 behind the end of a sequence; each of `states` [B, H]
/// States    a state that `states` lacks starts at zero; on return `states` has the final value of every state
Vector interpret(const Cell& cell, const NamedVectors& params, const Batch& batch, NamedVectors& states);

}  // namespace rnnc::ir
