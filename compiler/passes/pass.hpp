// Graph passes: functions from a cell to a cell that copy forward what lives. The runner, not the pass, verifies,
// times, dumps and stops. To add one: write it, declare it below, add a row to kPasses.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/cell.hpp"

namespace rnnc::compiler {

// In the order in which they run. Every cell that goes in is bound and verified, and so is every cell that comes out.

/// softmax, layer_norm and mean in terms of sums, maxima and element-wise functions; a lookup in joined matrices in
/// terms of lookups in each.
ir::Cell expand(const ir::Cell& cell);

/// Folds constants, removes what does nothing, moves slices towards the leaves, splits products of concatenations; a
/// product of which only slices are used becomes one product for each slice.
ir::Cell simplify(const ir::Cell& cell);

/// One node for equal expressions.
ir::Cell cse(const ir::Cell& cell);

/// Turns every sum with products into chains in canonical order: start values that hold no product, then products of
/// inputs, then products of states, then the rest.
ir::Cell chain(const ir::Cell& cell);

/// Products of the same vector with equally many rows become one stacked product.
ir::Cell fuse_gates(const ir::Cell& cell);

/// Marks what leaves the recurrence: values that depend on parameters only (computed once) or on no state (computed for
/// a chunk of time steps at once).
ir::Cell hoist(const ir::Cell& cell);

/// Products of quotients become functions that divide once.
ir::Cell share_divisions(const ir::Cell& cell);

struct Pass {
  std::string_view name;
  std::string_view summary;
  ir::Cell (*run)(const ir::Cell&);
};

inline constexpr Pass kPasses[] = {
    {"expand", "softmax, layer_norm and mean become sums, maxima and element-wise functions", expand},
    {"simplify", "folds constants, moves slices to the leaves, splits stacked products", simplify},
    {"cse", "one node for equal expressions", cse},
    {"chain", "sums of products become chains in canonical order", chain},
    {"fuse", "products of the same vector become one stacked product", fuse_gates},
    {"hoist", "marks what leaves the recurrence", hoist},
    {"share", "products of a sigmoid with a tanh or another value divide once", share_divisions},
};

/// Called after each pass with its name, the cell, and the seconds that it took.
using PassObserver = std::function<void(std::string_view name, const ir::Cell& cell, double seconds)>;

/// Runs `passes`, or those up to and including `last`. A pass that breaks a cell is an internal error, which writes
/// `cell`.
ir::Cell run_passes(const ir::Cell& cell, std::string_view last = {}, const PassObserver& observe = {},
                    std::span<const Pass> passes = kPasses);

}  // namespace rnnc::compiler
