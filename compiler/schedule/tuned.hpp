// The plans that `rnnc bench --tune` found to be fastest on this machine become files of the cache folder and are read
// from there. Each bound cell has one small file for each CPU, and another one where the numbers of this machine were
// measured, since these decide which plans there are. A file that is missing or makes no sense counts as no plan.
#pragma once

#include <cstdint>
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

/// A plan and the file that holds it. Both are empty where there is none.
struct TunedChoices {
  std::string path;
  std::vector<PlanChoice> choices;
};

/// Returns the plan that a compilation of `cell` takes, where `options` ask for no other one and the environment lets
/// the cache be read.
TunedChoices tuned_choices(const ir::Cell& cell, const Target& target, const PlanOptions& options);

/// Describes the file of a plan for people.
struct KeptPlan {
  std::string cpu, cell;
  std::vector<std::string> sizes;  // the inputs and states of the cell, as in x : f32[64]
  std::string choices;
};

/// Lists the plans in the folder by the names of their files. A file that makes no sense is left out.
std::vector<KeptPlan> kept_plans(const std::string& cache_folder);

/// Removes the files with plans, and returns how many bytes each had.
std::vector<std::uint64_t> remove_plans(const std::string& cache_folder);

}  // namespace rnnc::compiler
