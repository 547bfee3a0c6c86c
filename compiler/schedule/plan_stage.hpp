// The plausible ways to lay a stage on a machine, and the choice among them by cost.
#pragma once

#include <vector>

#include "compiler/schedule/cost.hpp"
#include "compiler/schedule/plan.hpp"

namespace rnnc::compiler {

StageShape shape_of(const Schedule& schedule, const Stage& stage, const Target& target, runtime::NumberFormat weights);

/// Plausible plans and what they should take. The first is the model's choice: one sequence and a batch count alike, so
/// it is that whose product of both times is least.
struct Candidate {
  StagePlan plan;
  StageTimes times;
};
std::vector<Candidate> plan_candidates(const Schedule& schedule, const Stage& stage, const Target& target,
                                       const PlanOptions& options);

/// Whether the units past the last full block are so few that several gates fit in a vector.
bool gates_share_vectors(std::int64_t units, std::int64_t lanes, int gates);

}  // namespace rnnc::compiler
