// A pass takes a cell and returns a new cell with the nodes that are still live. The runner, not the pass, verifies the
// cell, measures the time, calls the observer and stops. To add a pass, write it, declare it below and add a row to
// kPasses.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/cell.hpp"
#include "runtime/number_format.hpp"

namespace rnnc::compiler {

// The passes are declared in the order in which they run. Every cell that goes into a pass or comes out of it is bound
// and verified.

/// Turns the rows of a bound cell or network into vectors, one for each row, and their ops into ops of vectors. It is
/// the first part of expand; a network goes through it before it is cut into calls.
ir::Graph lower_rows(const ir::Graph& graph);

/// Turns rows into vectors, softmax, layer_norm and mean into sums, maxima and element-wise functions, and a lookup in
/// joined matrices into one lookup for each matrix.
ir::Cell expand(const ir::Cell& cell);

/// Folds constants, removes nodes without effect, moves slices towards the leaves, and splits products of
/// concatenations. If only slices of a product are used, each slice becomes a product of its own.
ir::Cell simplify(const ir::Cell& cell);

/// Turns equal expressions into one node.
ir::Cell cse(const ir::Cell& cell);

/// Turns every sum with products into chains in canonical order: start values that hold no product, then products of
/// inputs, then products of states, then the rest.
ir::Cell chain(const ir::Cell& cell);

/// Turns products that are not of parameters alone into products of integers, of the digits that the format has.
ir::Cell quantize(const ir::Cell& cell, runtime::NumberFormat format);

/// Turns products of the same vector with equally many rows into one stacked product.
ir::Cell fuse_gates(const ir::Cell& cell);

/// Marks the values that leave the recurrence: values that depend on parameters only are computed once, values that
/// depend on no state are computed for a chunk of time steps at once.
ir::Cell hoist(const ir::Cell& cell);

/// Undoes hoist() for values of a chunk of time steps, after all passes: the step computes them, by the same functions.
ir::Cell leave_in_step(const ir::Cell& cell);

/// Turns a product of a sigmoid or tanh with another one, and a product of a sigmoid with any value, into a function
/// that divides once.
ir::Cell share_divisions(const ir::Cell& cell);

struct Pass {
  std::string_view name;
  std::string_view summary;
  ir::Cell (*run)(const ir::Cell&, runtime::NumberFormat weights);
  bool of_integers = false;  // it runs for formats of integers only
};

/// A pass that is the same for all formats of weights.
template <ir::Cell (*pass)(const ir::Cell&)>
ir::Cell of_any_format(const ir::Cell& cell, runtime::NumberFormat) {
  return pass(cell);
}

inline constexpr Pass kPasses[] = {
    {"expand", "rows become vectors; softmax, layer_norm and mean become sums, maxima and element-wise functions",
     of_any_format<expand>},
    {"simplify", "folds constants, moves slices to the leaves, splits stacked products", of_any_format<simplify>},
    {"cse", "one node for equal expressions", of_any_format<cse>},
    {"chain", "sums of products become chains in canonical order", of_any_format<chain>},
    {"quantize", "vectors of products become integers, with a scale that is proved, measured or found in each step",
     quantize, true},
    {"fuse", "products of the same vector become one stacked product", of_any_format<fuse_gates>},
    {"hoist", "marks what leaves the recurrence", of_any_format<hoist>},
    {"share", "products of a sigmoid with a tanh or another value divide once", of_any_format<share_divisions>},
};

/// The observer is called after each pass with the name of the pass, the new cell, and the seconds that the pass took.
using PassObserver = std::function<void(std::string_view name, const ir::Cell& cell, double seconds)>;

/// Runs `passes` for weights of a format, or those up to and including `last`. A pass that breaks a cell is an internal
/// error, whose repro file holds `cell`.
ir::Cell run_passes(const ir::Cell& cell, std::string_view last = {}, const PassObserver& observe = {},
                    std::span<const Pass> passes = kPasses, runtime::NumberFormat weights = runtime::kRowFormat);

}  // namespace rnnc::compiler
