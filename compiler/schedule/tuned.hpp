// The plans that `rnnc bench --tune` found to be fastest on this machine become files of the cache folder and are read
// from there. Each bound cell has one small file for each CPU, and another one where the numbers of this machine were
// measured, since these decide which plans there are. A file that is missing or makes no sense counts as no plan.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/schedule/plan.hpp"
#include "compiler/schedule/target.hpp"
#include "ir/cell.hpp"

namespace rnnc::compiler {

/// A plan of the file is for this bound cell, this CPU and, where it was measured, this machine.
struct TunedFor {
  const ir::Cell& cell;
  const Target& target;
  std::optional<Machine> machine = {};
};

/// Returns the path of the file that holds the plan; "" if no cache folder is known.
std::string tuned_path(const std::string& cache_folder, const TunedFor& what);

/// Returns the content of the file for a plan.
std::string tuned_text(const TunedFor& what, const std::vector<PlanChoice>& choices);

/// Returns the choices that the file at `path` holds for `what`; none if there is no such file.
std::vector<PlanChoice> read_tuned(const std::string& path, const TunedFor& what);

}  // namespace rnnc::compiler
