// How a schedule is laid on a machine: the tile of each stage, the layout of packed weights, and the chunk of time
// whose hoisted values are kept. Chosen from shapes and target alone, printable, and known without LLVM.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/stages.hpp"
#include "compiler/target.hpp"

namespace rnnc::compiler {

/// Accumulators held at once: `rows` sequences (or time steps) x `blocks` of `lanes` units x the gates of the stage.
struct Tile {
  int rows = 1;
  int blocks = 1;
  int unroll = 1;  // columns of a product in one pass of its loop
};

/// Packed weights of one stacked product: [block of units][k][gate][lane], units past the end are 0.
struct Panel {
  ir::Value product;
  std::int64_t offset = 0;  // floats from the start of the weights
  std::int64_t units = 0;
  std::int64_t columns = 0;
  int gates = 0;
};

struct StagePlan {
  std::vector<Tile> tiles;  // by falling number of rows, the last with one; each takes what the one before leaves over
  // The element-wise part runs row after row in a loop, with accumulators parked in memory: less code where it is long.
  bool row_by_row = false;
};

struct Plan {
  int lanes = 16;
  std::int64_t chunk_rows = 0;  // rows of hoisted values kept at most, unless one step has more
  std::int64_t weights_size = 0;
  std::vector<StagePlan> stages;  // one for each stage of the schedule
  std::vector<Panel> panels;

  const Panel& panel(ir::Value product) const;
  std::int64_t panel_size(const Panel& panel) const;  // floats
};

Plan make_plan(const Schedule& schedule, const Target& target);

/// The plan as people read it: a line for each stage with its products, tiles and stores, and the sizes of what lies
/// where.
std::string print(const Plan& plan, const Schedule& schedule, const Target& target);

}  // namespace rnnc::compiler
