// A stage becomes its parts: the smallest sets of its products, stores and reductions between which nothing that the
// stage computes is shared. Each part could be a stage of its own, and they may run in any order.
#pragma once

#include <vector>

#include "compiler/schedule/stages.hpp"

namespace rnnc::compiler {

/// Returns the parts of a stage, or of what is left of one. What overwrites a state in place, and what reads such a
/// state, is one part.
std::vector<Stage> parts_of(const Schedule& schedule, const Stage& stage);

}  // namespace rnnc::compiler
