// Panels get their places in the packed block. Products of the same matrices and of one layout read the same weights:
// rows of a step are such products. A product may also read a part of a panel: a row at the edge of a convolution is in
// fewer windows than the others, and the window at an edge has fewer columns.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/schedule/plan.hpp"
#include "compiler/schedule/stages.hpp"

namespace rnnc::compiler {

/// Places the panels from `end` (floats) on and moves `end` behind them.
void share_panels(const Schedule& schedule, std::vector<Panel>& panels, std::int64_t& end);

}  // namespace rnnc::compiler
