// The recurrence cut into stages: a stage evaluates, for one block of units after another, a group of products and the
// element-wise graph behind them while the accumulators are still in registers. A new stage begins where a product, a
// reduction, a slice or a concat needs a complete vector that is computed in the same phase.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/passes/analysis.hpp"
#include "ir/cell.hpp"
#include "runtime/number_format.hpp"

namespace rnnc::compiler {

/// Where vectors live. A row is one sequence at one time step; Weights holds one row for all.
enum class Space : std::uint8_t {
  Input,     // x_t of the caller
  Output,    // y_t of the caller
  Current,   // old values of double-buffered states
  Next,      // new values of double-buffered states
  InPlace,   // states whose new value may replace the old one at once
  Sequence,  // hoisted values of a chunk of time steps, and what their stages hand on to each other
  Step,      // what the stages of one time step hand on to each other
  Weights,   // packed parameters and what is computed from them once
};
inline constexpr int kSpaces = 8;

std::string_view name(Space space);

/// A vector in memory: `size` floats from `offset` of its row. A scalar has size 1.
struct Home {
  Space space = Space::Step;
  std::int64_t offset = 0;
  std::int64_t size = 0;
};

struct Store {
  ir::Value value;
  Home home;
  bool exact = false;  // write `size` floats and no more: something else lies behind them
};

/// Vectors and panels begin on a cache line, a multiple of so many floats of their row, and vectors are followed by
/// nothing of theirs in it, so that full registers may be stored.
inline constexpr std::int64_t kAlign = runtime::kCacheLineFloats;

/// Canonical arithmetic: a reduction is so many strided partial results, j of elements j, j + 16, ..., and a tree of
/// them.
inline constexpr std::int64_t kPartials = 16;

/// How the partial results of a reduction begin, and which function makes one of two. Those of argmax carry along where
/// the value stands, so that the function alone does not combine them.
struct Combining {
  float start = 0;
  ir::Function function{};
  bool has_indices = false;
};

/// Asked of reductions that no pass expands.
Combining combining_of(ir::Reduction reduction);

/// A reduction: partial results, kept in `partials` while the stage runs, then combined into `result`; of argmax the
/// maxima, then where they are.
struct ReductionStep {
  ir::Value node;
  Home partials;
  Home result;
};

struct Stage {
  Phase phase = Phase::Step;
  int depth = 0;
  std::int64_t units = 1;           // length of every vector of the stage; 1 where it only stores scalars
  std::vector<ir::Value> products;  // Project nodes, in the order in which chains pass through them
  std::vector<Store> stores;
  std::vector<ReductionStep> reductions;
};

/// A state in memory. `offset` counts in the row of Current and Next, or of InPlace.
struct StateHome {
  std::string name;
  bool doubled = false;
  std::int64_t offset = 0;
  std::int64_t size = 0;
  std::size_t rank = 1;
};

struct Schedule {
  ir::Cell cell;  // after all passes
  std::vector<Stage> stages;
  std::vector<std::optional<Home>> homes;  // of each node that lies in memory
  std::vector<int> depths;
  std::vector<int> uses;  // of each node: operands and statements that name it
  std::vector<StateHome> states;
  std::int64_t row_sizes[kSpaces] = {};  // floats of a row; of Weights, what vectors and once-computed values take

  /// Where the elements of a free, stored or sliced vector are.
  std::optional<Home> find(ir::Value value) const;
  std::int64_t row_size(Space space) const { return row_sizes[static_cast<int>(space)]; }
};

/// Whether threads may each compute some of the stage's units: what all units of a vector share is one thread's work.
bool is_shared(const Stage& stage);

/// The part of a parameter whose rows a Lookup takes.
struct Table {
  ir::Value param;
  std::int64_t first_row = 0, first_column = 0;
  std::int64_t rows = 0;
};
Table table_of(const ir::Cell& cell, const ir::Node& lookup);

/// `cell` has been through all passes.
Schedule make_schedule(ir::Cell cell);

}  // namespace rnnc::compiler
