#include "tools/plan_cell.hpp"

#include "compiler/schedule/limits.hpp"
#include "compiler/schedule/tuned.hpp"

namespace rnnc::tools {

Result<PlannedCell> plan_cell(const ir::Cell& cell, const compiler::Target& target, const ModelFlags& flags,
                              int threads) {
  auto choices = compiler::parse_choices(flags.plan);
  if (!choices) return choices.error();
  compiler::PlanOptions options{.threads = threads,
                                .weights = weight_format(flags),
                                .machine = compiler::measured_machine(target),
                                .choices = std::move(*choices),
                                .sparse = flags.sparse};
  const compiler::TunedChoices tuned = compiler::tuned_choices(cell, target, options);
  if (!tuned.choices.empty()) {
    compiler::PlanOptions with_tuned = options;
    with_tuned.choices = tuned.choices;
    // A plan that this version of rnnc does not know is none.
    if (Result<compiler::Lowered> lowered = compiler::lower(cell, target, with_tuned))
      return PlannedCell{std::move(*lowered), tuned.path};
  }
  Result<compiler::Lowered> lowered = compiler::lower(cell, target, options);
  if (!lowered) return lowered.error();
  return PlannedCell{std::move(*lowered), ""};
}

}  // namespace rnnc::tools
