// The meaning of a cell, in double precision, plain loops and libm. It shares no formula with the code generator.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/cell.hpp"

namespace rnnc::ir {

using Vector = std::vector<double>;

/// One scalar function on doubles, as op.hpp says.
double evaluate(Function function, const double* operands);

/// Values of one sequence. A scalar is a vector of one element; a matrix is row-major.
struct Environment {
  std::map<std::string, Vector> params;
  std::map<std::string, Vector> inputs;
  std::map<std::string, Vector> states;
};

/// Advances `environment.states` by one step and returns the output. The cell must be bound (no symbolic dims) and
/// verified, and the environment complete; both are asserted.
Vector interpret_step(const Cell& cell, Environment& environment);

}  // namespace rnnc::ir
