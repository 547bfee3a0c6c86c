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

/// One kind of cell for one CPU: several calls may run its code, with weights of their own.
struct CellKind {
  Lowered lowered;
  runtime::Description description;
};

/// `cell` is bound and verified.
/// Errors: those of make_plan.
Result<Lowered> lower(const ir::Cell& cell, const Target& target, const PlanOptions& options = {},
                      const PassObserver& observe = {});

runtime::Description describe(const ir::Cell& cell, const Lowered& lowered, const Target& target);

/// Lowers a bound cell and describes it. Errors: those of lower; Limit where the packed weights would take too much.
Result<CellKind> make_kind(const ir::Cell& cell, const Target& target, const PlanOptions& options = {});

}  // namespace rnnc::compiler
