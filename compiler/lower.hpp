// The way from a bound cell to an artifact, step by step: passes, schedule, plan, object code and its description.
#pragma once

#include "compiler/pass.hpp"
#include "compiler/plan.hpp"
#include "compiler/stages.hpp"
#include "compiler/target.hpp"
#include "runtime/artifact.hpp"

namespace rnnc::compiler {

struct Lowered {
  Schedule schedule;
  Plan plan;
};

/// `cell` is bound and verified.
/// Errors: those of make_plan.
Result<Lowered> lower(const ir::Cell& cell, const Target& target, const PlanOptions& options = {},
                      const PassObserver& observe = {});

runtime::Description describe(const ir::Cell& cell, const Lowered& lowered, const Target& target);

/// Errors: Limit where the packed weights would take more than kMaxWeightsBytes. What RNNC_DEBUG asks for is printed to
/// standard error, or written to RNNC_DUMP_DIR.
Result<runtime::Artifact> make_artifact(const ir::Cell& cell, const Target& target, const PlanOptions& options = {});

}  // namespace rnnc::compiler
