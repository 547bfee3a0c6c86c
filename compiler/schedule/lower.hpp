// A bound cell becomes a schedule and a plan, from which code is generated, and the description of that code.
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

/// A kind of cell, lowered for one CPU. Several calls may run its code with weights of their own.
struct CellKind {
  Lowered lowered;
  runtime::Description description;
};

/// Runs the passes, makes the schedule and chooses the plan. `cell` is bound and verified. Errors: those of make_plan
/// and check_integer_sums.
Result<Lowered> lower(const ir::Cell& cell, const Target& target, const PlanOptions& options = {},
                      const PassObserver& observe = {});

/// Returns the description of the code that is generated from `lowered`.
runtime::Description describe(const ir::Cell& cell, const Lowered& lowered, const Target& target);

/// Lowers a bound cell and describes its code. Errors: those of lower; Limit if the packed weights would be too large.
Result<CellKind> make_kind(const ir::Cell& cell, const Target& target, const PlanOptions& options = {},
                           const PassObserver& observe = {});

}  // namespace rnnc::compiler
