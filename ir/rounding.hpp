// Rounding disturbs what the interpreter computes as f32 may: by as much as an operation may round, up or down after a
// pattern. How far a few patterns move a result is how far rounding may, however a cell or network passes errors on.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ir/interpret_network.hpp"

namespace rnnc::ir {

class Rounding {
 public:
  // Errors that an operation repeats at each step, or that operations have in common, add up; others cancel in part.
  //   Up, Away  all operations err upwards, or away from zero
  //   Bit       operations err up or down by the bit `number` of their number: of any two operations one errs up and
  //             the other one down for some bit, so that errors do not all cancel where values are subtracted
  //   Free      each operation errs in its own way at each step, drawn from the seed `number`
  enum class Kind : std::uint8_t { Up, Away, Bit, Free };
  struct Pattern {
    Kind kind;
    std::uint32_t number = 0;
    double factor = 1;  // rounding may move a value so many times as far as the pattern moves it
  };

  explicit Rounding(const Pattern& pattern) : pattern_(pattern) {}

  /// The operations that come next are those of a graph whose numbers begin here.
  void begin(std::size_t first) { first_ = first; }

  /// Says of which node of the graph the values are that are rounded next.
  void at(std::size_t node);

  /// Returns `value` with an error of so many units in the last place of f32, or `floor`, whichever is larger. A value
  /// beyond the range of f32 becomes infinite, a denormal zero.
  double operator()(double value, double ulp = 0.5, double floor = 0);

  /// Computes a reduction in the order that docs/numerics.md states, with a rounding at each operation.
  std::vector<double> reduce(Reduction reduction, const std::vector<std::vector<double>>& operands);

 private:
  double sum(std::span<const double> values);
  std::vector<double> softmax(const std::vector<double>& x);
  std::vector<double> layer_norm(const std::vector<double>& x, const std::vector<double>& gamma,
                                 const std::vector<double>& beta, double eps);

  Pattern pattern_;
  std::size_t first_ = 0;
  double sign_ = 1;
  std::uint64_t drawn_ = 0;
};

/// Returns the patterns that tell how far rounding may move the results of a bound network.
std::vector<Rounding::Pattern> rounding_patterns(const Network& network);

/// These are the interpreters of interpret.hpp and interpret_network.hpp, with each operation rounded. That of networks
/// returns every output.
Vector interpret(const Cell& cell, const NamedVectors& params, const Batch& batch, NamedVectors& states,
                 Rounding& rounding);
std::vector<Vector> interpret_outputs(const Network& network, const NamedVectors& weights, const NetworkBatch& batch,
                                      NamedVectors& states, Rounding& rounding);

}  // namespace rnnc::ir
