// From a bound cell to what code is generated from: the passes, the schedule, the plan, and the description of the
// code.
#pragma once

#include "compiler/passes/pass.hpp"
#include "compiler/schedule/plan.hpp"
#include "compiler/schedule/stages.hpp"
#include "compiler/schedule/target.hpp"
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

}  // namespace rnnc::compiler
