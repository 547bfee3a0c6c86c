// How a schedule is laid on a machine: the tile of each stage, the layout of packed weights, and the chunk of time
// whose hoisted values are kept. Chosen from shapes and target alone, printable, and known without LLVM.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rnnc/result.hpp>

#include "compiler/schedule/cost.hpp"
#include "compiler/schedule/stages.hpp"
#include "compiler/schedule/target.hpp"
#include "runtime/number_format.hpp"

namespace rnnc::compiler {

/// Packed weights of one stacked product: [group of blocks of units][column][block][gate][lane], units past the end are
/// 0. Where the last block is so far from full that several gates fit in one vector, it is a group of its own in which
/// they share vectors: lane = gate in vector * units left + unit. That goes for all products of a stage, whose blocks
/// are gone through together: one that has a single gate has the last block as a group of its own too.
struct Panel {
  ir::Value product;
  std::int64_t offset = 0;  // floats from the start of the weights
  std::int64_t units = 0;
  std::int64_t columns = 0;
  int gates = 0;
  int together = 1;                                    // blocks of a group
  int tail_gates = 1;                                  // gates for which a vector of the last block has room
  int lanes = 0;                                       // units of a block
  runtime::NumberFormat format = runtime::kRowFormat;  // of the weights

  /// The offset, counted in weights of the panel's format.
  std::int64_t first_element() const { return runtime::elements_in(format, offset); }
  bool is_packed() const { return tail_gates > 1; }
  int vectors(bool in_tail) const { return in_tail ? (gates + tail_gates - 1) / tail_gates : gates; }
};

/// How a stage goes over its rows (sequences, or sequences at the time steps of a chunk). A row on its own keeps its
/// accumulators in registers from start value to result. Where many rows share the weights, the accumulators of a group
/// of rows are parked in memory for one block of units at a time, and tiles of rows pass over a part of the panel while
/// it is near.
struct StagePlan {
  int single_blocks = 1;  // blocks of units side by side for one row; a multiple of batch_blocks
  int batch_rows = 0;     // rows of a tile at most; 0 where rows always go one by one
  int batch_blocks = 1;
  int group_rows = 0;              // rows whose accumulators are parked at once
  std::int64_t panel_columns = 0;  // columns that rows pass over before the next ones
  bool fetch_ahead = false;        // fetch the next block's weights while the rows pass over one block's
  friend bool operator==(const StagePlan&, const StagePlan&) = default;
};

/// What the cost model expects of a plan of a stage, in seconds.
struct StageTimes {
  double one_row = 0;
  double many_rows = 0;  // kPlannedRows of them together
};
inline constexpr std::int64_t kPlannedRows = 16;

/// What the model preferred a stage's plan to.
struct RunnerUp {
  StagePlan plan;
  StageTimes times;
};

/// A stage's plan by hand: of the plausible ones, that which has these.
struct PlanChoice {
  std::size_t stage = 0;
  int single_blocks = 1, batch_blocks = 1;
  std::int64_t panel_columns = 0;
  friend bool operator==(const PlanChoice&, const PlanChoice&) = default;
};
PlanChoice choice_of(std::size_t stage, const StagePlan& plan);

/// "STAGE:SINGLE_BLOCKS/BATCH_BLOCKS/PANEL_COLUMNS", several with commas between. Errors: Usage.
Result<std::vector<PlanChoice>> parse_choices(std::string_view text);
std::string print(const PlanChoice& choice);

struct PlanOptions {
  int threads = 1;
  runtime::NumberFormat weights = runtime::kRowFormat;  // of all panels
  std::optional<Machine> machine = {};                  // instead of the one that the target names
  std::vector<PlanChoice> choices = {};
};

struct Plan {
  Machine machine;  // that it is made for
  int lanes = 16;
  int threads = 1;                // that may share the stages of a call
  std::int64_t chunk_rows = 0;    // rows of hoisted values kept at most, unless one step has more
  std::int64_t weights_size = 0;  // floats of the packed block
  std::vector<StagePlan> stages;  // one for each stage of the schedule
  std::vector<StageTimes> times;  // the same
  std::vector<std::optional<RunnerUp>> runners_up;
  std::vector<Panel> panels;

  const Panel& panel(ir::Value product) const;

  /// What threads may share of stage `index` when there is one row: groups of blocks.
  std::int64_t block_groups(std::size_t index, const Stage& stage) const;
};

/// Errors: Usage where a choice names no plausible plan of a stage.
Result<Plan> make_plan(const Schedule& schedule, const Target& target, const PlanOptions& options = {});

/// The numbers of rows that a tile's rows are made of: each number is code of its own, and those that are rare are made
/// of two that are not.
std::vector<int> pieces_of_tile(int rows, int vectors);

/// The plan as people read it: a line for each stage with its products, tiles and stores, and the sizes of what lies
/// where.
std::string print(const Plan& plan, const Schedule& schedule, const Target& target);

}  // namespace rnnc::compiler
