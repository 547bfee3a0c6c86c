// The plans that `rnnc bench --tune` found to be fastest on this machine become files of the cache folder and are read
// from there. Each bound cell has one small file for each CPU. A file that is missing or makes no sense counts as no
// plan.
#pragma once

#include <string>
#include <vector>

#include "compiler/schedule/plan.hpp"
#include "compiler/schedule/target.hpp"
#include "ir/cell.hpp"

namespace rnnc::compiler {

/// Returns the path of the file that holds the plan of a cell; "" if no cache folder is known. `cell` is bound.
std::string tuned_path(const std::string& cache_folder, const ir::Cell& cell, const Target& target);

/// Returns the content of the file for a plan.
std::string tuned_text(const ir::Cell& cell, const Target& target, const std::vector<PlanChoice>& choices);

/// Returns the choices that the file at `path` holds for this cell and this CPU; none if there is no such file.
std::vector<PlanChoice> read_tuned(const std::string& path, const ir::Cell& cell, const Target& target);

}  // namespace rnnc::compiler
