#include "compiler/llvm/make_artifact.hpp"

#include "compiler/llvm/codegen.hpp"
#include "compiler/llvm/dump.hpp"
#include "compiler/schedule/describe.hpp"

namespace rnnc::compiler {

Result<runtime::Artifact> make_artifact(const ir::Cell& cell, const Target& target, const PlanOptions& options) {
  Dumper dumper(cell);
  const Result<Lowered> made = lower(cell, target, options, [&](auto name, const ir::Cell& after, double seconds) {
    dumper.pass(name, after, seconds);
  });
  if (!made) return made.error();
  const Lowered& lowered = *made;
  dumper.plan(lowered, target);
  if (const Result<void> checked = check_weights_size(cell, lowered.plan.weights_size); !checked)
    return checked.error();
  runtime::Artifact artifact;
  artifact.description = describe(cell, lowered, target);
  artifact.object = dumper.timed("codegen", [&] { return emit_object(lowered.schedule, lowered.plan, target); });
  return artifact;
}

}  // namespace rnnc::compiler
