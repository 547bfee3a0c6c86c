// A cell becomes the cells that train it: one that computes the forward step and saves values, and one that goes back
// from the last step to the first. Both are ordinary cells, which the passes and executors run as any other.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/gradient/reverse.hpp"
#include "ir/cell.hpp"

namespace rnnc::compiler {

/// Columns of one of the rows that a backward pass has at a step.
struct Column {
  enum class Of : std::uint8_t {
    Input,      // the row of x of the cell
    Saved,      // what `forward` gives behind y
    Cotangent,  // the cotangent of y
    Backward,   // the output of `backward`
    After,      // the output of `after`
  };
  Of of = Of::Input;
  std::int64_t begin = 0, width = 0;
};

/// A Term of a cell whose operands have places.
struct CellTerm {
  Term::Kind kind = Term::Kind::Sum;
  std::string param;
  Window window;
  std::int64_t count = 1;  // the rows of a step whose products are added
  Column left, right = {};
};

struct CellGradient {
  /// Runs as the cell; its output is y, and behind y the saved values.
  ir::Cell forward;
  std::int64_t output_size = 0, saved_size = 0;

  /// Runs over the steps in reverse. Its states are the cotangents of the cell's states behind a step, `states` has
  /// their names by those of the cell's. Its inputs are `reads`, vectors all.
  ir::Cell backward;
  std::vector<Column> reads;
  std::map<std::string, std::string> states;

  /// Computes of the output of `backward`, for each step by itself, what no state needs: products, for all steps at
  /// once. Without a value there is nothing to compute.
  std::optional<ir::Cell> after;
  std::vector<Column> reads_after;

  std::map<std::string, Column> inputs;           // the cotangents of inputs; one that is missing is 0
  std::vector<CellTerm> terms;                    // of the gradients of parameters
  std::map<std::string, std::string> transposed;  // parameters of `backward` and `after`: transposes of the cell's
};

/// Returns the cells that train a bound and verified cell.
CellGradient gradient_of(const ir::Cell& cell);

}  // namespace rnnc::compiler
