// Plans that bench --tune found to be fastest on this machine, kept in the cache folder: one small file for each cell
// with bound dims and CPU. A file that is not there or makes no sense is no plan.
#pragma once

#include <string>
#include <vector>

#include "compiler/schedule/plan.hpp"
#include "compiler/schedule/target.hpp"
#include "ir/cell.hpp"

namespace rnnc::compiler {

/// Where the plan of a cell is kept; "" where no cache folder is known. `cell` is bound.
std::string tuned_path(const std::string& cache_folder, const ir::Cell& cell, const Target& target);

/// The file's content for a plan.
std::string tuned_text(const ir::Cell& cell, const Target& target, const std::vector<PlanChoice>& choices);

/// The choices kept at `path` for this very cell and CPU; none where there are none.
std::vector<PlanChoice> read_tuned(const std::string& path, const ir::Cell& cell, const Target& target);

}  // namespace rnnc::compiler
