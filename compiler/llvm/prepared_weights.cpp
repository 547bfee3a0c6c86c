#include "compiler/llvm/prepared_weights.hpp"
#include "compiler/llvm/resolve_target.hpp"

#include <algorithm>

#include "compiler/llvm/codegen.hpp"
#include "compiler/llvm/link_image.hpp"
#include "runtime/kernel_float_mode.hpp"
#include "runtime/pack.hpp"

namespace rnnc::compiler {
namespace {

bool has_preparation(const Schedule& schedule) {
  return std::ranges::any_of(schedule.stages, [](const Stage& stage) { return stage.phase == Phase::Once; });
}

// Makes a target with the vectors of `target` and the instructions of this machine, so that the plan of `target` runs
// here. Canonical arithmetic gives the same bits.
Result<Target> stand_in(const Target& target) {
  Result<Target> host = resolve_target("host");
  if (!host) return host;
  if (target.fma && !host->fma)
    return Error{
        ErrorCode::Unsupported,
        {},
        "the weights for " + name_of(target) + " need a machine with FMA to be prepared; compile on such a one",
        {}};
  Target result = target;
  result.arch = host->arch;
  result.cpu = host->cpu;
  result.features = host->features;
  return result;
}

}  // namespace

Result<runtime::AlignedBuffer> prepared_weights(const Lowered& lowered, const Target& target,
                                                const runtime::Description& description,
                                                const runtime::TensorRefs& weights) {
  Result<runtime::AlignedBuffer> block = runtime::pack_weights(description, weights);
  if (!block || !has_preparation(lowered.schedule)) return block;
  const Result<Target> here = stand_in(target);
  if (!here) return here.error();
  const auto code = runtime::map_code(link_image(here->arch, emit_object(lowered.schedule, lowered.plan, *here)));
  if (!code) return code.error();
  const runtime::KernelFloatMode mode;
  code->prepare(block->data());
  return block;
}

}  // namespace rnnc::compiler
