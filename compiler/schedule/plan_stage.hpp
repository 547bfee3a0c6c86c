// A stage and a target become the plausible plans of the stage, ordered by cost.
#pragma once

#include <vector>

#include "compiler/schedule/cost.hpp"
#include "compiler/schedule/plan.hpp"

namespace rnnc::compiler {

/// A plausible plan and its predicted times. plan_candidates puts the model's choice first: one sequence and a batch
/// count alike, so the choice is the plan with the least product of both times.
struct Candidate {
  StagePlan plan;
  StageTimes times;
};

/// Returns the plausible plans of each stage.
std::vector<std::vector<Candidate>> plan_candidates(const Schedule& schedule, const Target& target,
                                                    const PlanOptions& options);

/// Returns the seconds of each stage in a step of `rows` sequences by the cost model. A stage that runs ahead of the
/// steps counts with the step's part, and one that runs once with nothing.
std::vector<double> stage_seconds(const Schedule& schedule, const Plan& plan, const Target& target, std::int64_t rows);

/// Returns the seconds that a step of `rows` sequences should take: those of all stages.
double step_seconds(const Schedule& schedule, const Plan& plan, const Target& target, std::int64_t rows);

/// Returns how many multiply-adds with weights of a format take as long as one of f32.
double multiply_adds_as_one(const Target& target, runtime::NumberFormat weights);

/// Returns the number of gates of a stacked product.
int gates_of(const Schedule& schedule, ir::Value product);

constexpr std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Tells whether the gates share the vectors of the last block: so few units are left after the last full block that
/// several gates fit in a vector.
bool gates_share_vectors(std::int64_t units, std::int64_t lanes, int gates);

}  // namespace rnnc::compiler
