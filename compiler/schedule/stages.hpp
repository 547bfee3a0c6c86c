// A cell becomes a schedule: stages, and the place of each vector in memory. A stage computes, for one block of units
// after another, some products and the element-wise graph that uses them while the accumulators are still in registers.
// A new stage begins if a product, a reduction, a slice or a concat needs a complete vector that is computed in the
// same phase.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compiler/passes/analysis.hpp"
#include "compiler/schedule/stage_depths.hpp"
#include "ir/cell.hpp"
#include "runtime/number_format.hpp"

namespace rnnc::compiler {

/// The parts of memory that hold vectors. A row is one sequence at one time step; Weights holds one row for all.
enum class Space : std::uint8_t {
  Input,     // x_t of the caller
  Output,    // y_t of the caller
  Current,   // old values of double-buffered states
  Next,      // new values of double-buffered states
  InPlace,   // states whose new value may replace the old one at once
  Sequence,  // hoisted values of a chunk of time steps, and values that stages of that phase pass on
  Step,      // values that the stages of one time step pass on
  Weights,   // packed parameters, and values that are computed from them once
};
inline constexpr int kSpaces = 8;

std::string_view name(Space space);

/// A vector in memory: `size` elements from `offset` floats of its row on. A scalar has size 1. Elements are floats, or
/// integers of so many digits: those of four elements lie together, all high digits before all low ones.
struct Home {
  Space space = Space::Step;
  std::int64_t offset = 0;
  std::int64_t size = 0;
  int digits = 0;

  /// Returns the floats that the vector takes.
  std::int64_t floats() const { return digits == 0 ? size : runtime::floats_of_digits(size, digits); }
};

struct Store {
  ir::Value value;
  Home home;
  bool exact = false;  // exactly `size` floats are written: other values follow them
};

/// Every vector and panel begins at a multiple of this many floats of its row, which is a cache line. The rest of the
/// last cache line of a vector is empty, so that full registers may be stored.
inline constexpr std::int64_t kAlign = runtime::kCacheLineFloats;

/// Canonical arithmetic asks that a reduction has 16 partial results on every machine: partial result j takes the
/// elements j, j + 16, ..., and a tree combines the 16.
inline constexpr std::int64_t kPartials = 16;

/// The start of a partial result, and the function that combines two. A partial result of argmax also holds an index,
/// so that the function alone does not combine two of them.
struct Combining {
  float start = 0;
  ir::Function function{};
  bool has_indices = false;
};

/// Returns the combining of a reduction that no pass expands.
Combining combining_of(ir::Reduction reduction);

/// A reduction of a stage. While the stage runs, `partials` holds the partial results, which are then combined into
/// `result`. For argmax, `partials` holds the maxima and after them their indices.
struct ReductionStep {
  ir::Value node;
  Home partials;
  Home result;
};

struct Stage {
  Phase phase = Phase::Step;
  int depth = 0;
  std::int64_t units = 1;           // the length of every vector of the stage; 1 if it only stores scalars
  std::vector<ir::Value> products;  // Project nodes, in the order of chains
  std::vector<Store> stores;
  std::vector<ReductionStep> reductions;
  std::int64_t work = 0;  // of all that the stage computes (work_of)
};

/// A state in memory. `offset` counts floats in the row of Current and Next if the state is doubled, else in that of
/// InPlace.
struct StateHome {
  std::string name;
  bool doubled = false;
  std::int64_t offset = 0;
  std::int64_t size = 0;
  std::size_t rank = 1;
};

struct Schedule {
  ir::Cell cell;  // the cell after all passes
  std::vector<Phase> phases;
  std::vector<Stage> stages;
  std::vector<std::optional<Home>> homes;             // the place of each node that is in memory
  std::vector<int> depths;                            // see StageDepths
  std::vector<int> uses;                              // for each node, how many operands and statements name it
  std::map<ir::Value, std::vector<ir::Value>> gates;  // the slices of each stacked product
  std::vector<StateHome> states;
  std::int64_t most_work = kMostWork;    // the work beyond which stages were cut
  std::int64_t row_sizes[kSpaces] = {};  // the floats of a row; that of Weights has no panels

  /// Returns the place of a free, stored or sliced vector.
  std::optional<Home> find(ir::Value value) const;
  std::int64_t row_size(Space space) const { return row_sizes[static_cast<int>(space)]; }
};

/// Returns the format of a product's weights: that of its integers where it multiplies integers, else `weights`, or f32
/// where `weights` is a format of integers.
runtime::NumberFormat format_of_product(const ir::Cell& cell, ir::Value product, runtime::NumberFormat weights);

/// Tells whether threads may share the units of the stage. A stage with a reduction, or with one unit, is the work of
/// one thread.
bool is_shared(const Stage& stage);

/// Tells whether the stage has nothing to compute and to store.
bool is_empty(const Stage& stage);

/// The part of a parameter from which a Lookup reads a row.
struct Table {
  ir::Value param;
  std::int64_t first_row = 0, first_column = 0;
  std::int64_t rows = 0;
};
Table table_of(const ir::Cell& cell, const ir::Node& lookup);

/// Cuts a cell into stages of `most_work` at the most. `cell` has been through all passes. Where `ahead` is false, no
/// stage is computed ahead of the steps.
Schedule make_schedule(ir::Cell cell, std::int64_t most_work = kMostWork, bool ahead = true);

}  // namespace rnnc::compiler
