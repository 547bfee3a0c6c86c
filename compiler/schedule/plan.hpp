// A schedule and a target become a plan: the tiles of each stage, the layout of packed weights, and the number of rows
// whose hoisted values are kept. A plan follows from shapes, target and options alone. It can be printed, and needs no
// LLVM.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <rnnc/result.hpp>

#include "compiler/schedule/cost.hpp"
#include "compiler/schedule/stages.hpp"
#include "compiler/schedule/target.hpp"
#include "runtime/panel_layout.hpp"

namespace rnnc::compiler {

/// The packed weights of one stacked product. A block is `lanes` units, a group is `together` blocks (the last group
/// may have fewer), and the weights lie in the order [group][column][block][gate][lane]. The drawing has 4 lanes,
/// groups of 2 blocks, the gates i, f and g, units 0 to 9 and 2 columns. A vector stands between two bars, i5 is the
/// weight of gate i and unit 5, and memory runs along the lines from top to bottom.
///
///                               block 0                             block 1
///     group 0   column 0   | i0 i1 i2 i3 | f0 f1 f2 f3 | g0 g1 g2 g3 | i4 i5 i6 i7 | f4 f5 f6 f7 | g4 g5 g6 g7 |
///               column 1   | i0 i1 i2 i3 | f0 f1 f2 f3 | g0 g1 g2 g3 | i4 i5 i6 i7 | f4 f5 f6 f7 | g4 g5 g6 g7 |
///     last      column 0   | i8 i9 f8 f9 | g8 g9  0  0 |
///     block     column 1   | i8 i9 f8 f9 | g8 g9  0  0 |
///
/// The last block of the drawing has 2 units left, so that 2 gates fit in a vector (`tail_gates`) and share it:
/// lane = gate in vector * units left + unit. Gates share vectors if the last block is half full at most, a full block
/// comes before it, and the stage has a product of several gates (gates_share_vectors). The last block is then a group
/// of its own in every product of the stage, also in one of a single gate, because a stage goes through the blocks of
/// all its products at once. Otherwise the last block is a block like any other: each gate has a vector, and lanes past
/// the last unit are 0, as | i8 i9 0 0 | f8 f9 0 0 | g8 g9 0 0 |.
///
/// Weights that are integers take a byte for each digit, and a lane has those of four successive columns: where the
/// drawing has a vector of a column, there is one of a group of four columns, four times as many bytes, for each digit.
/// runtime/panel_layout.hpp tells what lies behind the weights.
struct Panel {
  ir::Value product;
  std::int64_t offset = 0;  // floats from the start of the packed block
  std::int64_t units = 0;
  std::int64_t columns = 0;
  int gates = 0;
  int together = 1;                                    // the blocks of a group
  int tail_gates = 1;                                  // the gates that share a vector of the last block
  int lanes = 0;                                       // the units of a block
  runtime::NumberFormat format = runtime::kRowFormat;  // the format of the weights
  bool is_shared = false;                              // the weights are those of a panel that is packed for another
  bool shifted = false, sparse = false;                // as in runtime::PanelShape
  // A product may read some gates, or some columns, of the panel that is packed.
  int first_gate = 0, gates_in_memory = 0;
  std::int64_t first_column = 0, columns_in_memory = 0;

  runtime::PanelShape shape() const {
    return {units, columns, gates, lanes, together, tail_gates, format, shifted, sparse};
  }
  /// Returns the offset of the first gate that the product reads, counted in weights of the panel's format.
  std::int64_t first_element() const { return runtime::elements_in(format, offset) + first_gate * lanes; }
  /// Returns the weights of a full block.
  std::int64_t block_elements() const {
    runtime::PanelShape whole = shape();
    whole.columns = columns_in_memory;
    return whole.stored_columns() * gates_in_memory * lanes;
  }
  /// Tells whether two products read the same weights.
  bool reads_as(const Panel& other) const {
    return std::tie(offset, first_gate, gates, first_column, columns) ==
           std::tie(other.offset, other.first_gate, other.gates, other.first_column, other.columns);
  }
  /// Returns the passes of a loop over the columns, each of which takes one, or a group where weights are integers.
  std::int64_t passes() const { return runtime::is_integer(format) ? runtime::groups_of_columns(columns) : columns; }
  bool is_packed() const { return tail_gates > 1; }
  int vectors(bool in_tail) const { return static_cast<int>(shape().vectors(in_tail)); }
};

/// The order in which a stage goes over its rows. A row is a sequence, or a sequence at one time step of a chunk. A
/// single row keeps its accumulators in registers from start value to result. Many rows share the weights: for
/// `batch_blocks` blocks at a time, the accumulators of a group of rows are kept in memory, and all tiles of these rows
/// pass over one part of the panel before the next part, so that the part is read from a cache.
struct StagePlan {
  int single_blocks = 1;  // blocks that one row computes at once; a multiple of batch_blocks
  int batch_rows = 0;     // the most rows of a tile; 0 if rows are computed one by one
  int batch_blocks = 1;
  int group_rows = 0;              // rows whose accumulators are in memory at once
  std::int64_t panel_columns = 0;  // the columns of a part of the panel
  bool fetch_ahead = false;        // the next block's weights are fetched while rows pass over this block
  bool turns = false;              // one row passes over the blocks backwards at odd steps
  friend bool operator==(const StagePlan&, const StagePlan&) = default;
};

/// The times that the cost model expects of a plan of a stage, in seconds.
struct StageTimes {
  double one_row = 0;
  double many_rows = 0;  // the time of kPlannedRows rows
};
inline constexpr std::int64_t kPlannedRows = 16;

/// The best plan, in the order of the cost model, of those that were not chosen.
struct RunnerUp {
  StagePlan plan;
  StageTimes times;
};

/// A choice by hand: the plausible plan of stage `stage` that has these numbers.
struct PlanChoice {
  std::size_t stage = 0;
  int single_blocks = 1, batch_blocks = 1;
  std::int64_t panel_columns = 0;
  friend bool operator==(const PlanChoice&, const PlanChoice&) = default;
};
PlanChoice choice_of(std::size_t stage, const StagePlan& plan);

/// Reads choices of the form "STAGE:SINGLE_BLOCKS/BATCH_BLOCKS/PANEL_COLUMNS" with commas between them. Errors: Usage.
Result<std::vector<PlanChoice>> parse_choices(std::string_view text);
std::string print(const PlanChoice& choice);

struct PlanOptions {
  int threads = 1;
  bool beside_others = false;  // threads rather run whole cells side by side than share one: its tiles are for one
  runtime::NumberFormat weights = runtime::kRowFormat;  // the format of all panels
  std::optional<Machine> machine = {};                  // replaces the machine of the target
  std::vector<PlanChoice> choices = {};
  std::int64_t most_work = kMostWork;  // of a stage, before it is cut
  bool sparse = false;                 // the panels of steps leave out zeros; weights are integers then
};

struct Plan {
  Machine machine;                                      // the machine that the plan is made for
  runtime::NumberFormat weights = runtime::kRowFormat;  // of products; those that are computed once are f32 at least
  int lanes = 16;
  int threads = 1;                // the threads that may share the stages of a call
  std::int64_t chunk_rows = 0;    // the most rows of hoisted values, unless one step has more
  std::int64_t weights_size = 0;  // the floats of the packed block
  std::vector<StagePlan> stages;  // one for each stage of the schedule
  std::vector<StageTimes> times;  // the times of each stage's plan
  std::vector<std::optional<RunnerUp>> runners_up;
  std::vector<Panel> panels;
  std::map<ir::Value, std::size_t> numbers;  // the index in `panels` of each product
  bool fetches_ahead = false;                // true if a stage does

  const Panel& panel(ir::Value product) const;

  /// Returns the number of groups of blocks that threads may share in stage `index` when there is one row.
  std::int64_t block_groups(std::size_t index, const Stage& stage) const;
};

/// Chooses the plan of each stage and lays out the panels. Errors: Usage if a choice names no plausible plan of a
/// stage.
Result<Plan> make_plan(const Schedule& schedule, const Target& target, const PlanOptions& options = {});

/// Splits the rows of a tile of `vectors` into numbers of rows that have code. Each number of rows needs code of its
/// own, so a rare number is split into two common ones (compile times fell by 5 to 14 %), unless these would have fewer
/// accumulators than half as many again as `chains`, the multiply-adds in flight that the machine needs.
std::vector<int> pieces_of_tile(int rows, int vectors, int chains);

/// Returns how many products of one panel a row computes at once, each with so many vectors of sums.
int products_at_once(int registers, int vectors);

/// Returns the plan as text: each stage with its products, tiles and stores, then states and sizes.
std::string print(const Plan& plan, const Schedule& schedule, const Target& target);

}  // namespace rnnc::compiler
