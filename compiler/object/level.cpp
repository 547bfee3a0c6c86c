#include "compiler/object/level.hpp"

#include <algorithm>

#include "compiler/llvm/codegen.hpp"
#include "compiler/llvm/link_image.hpp"
#include "compiler/llvm/resolve_target.hpp"
#include "compiler/object/suit_weights.hpp"
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
        "the weights for " + name_of(target) + " need a machine with FMA to be prepared; compile on such a one"};
  Target result = target;
  result.arch = host->arch;
  result.cpu = host->cpu;
  result.features = host->features;
  result.converts_f16 = host->converts_f16;
  return result;
}

// Returns the block that a kernel reads, for code that runs later and perhaps elsewhere: weights are packed, and the
// values that depend on parameters only are computed.
Result<runtime::AlignedBuffer> prepared_weights(const CellKind& kind, const Target& target,
                                                const runtime::TensorRefs& weights) {
  const auto& [lowered, description] = kind;
  runtime::AlignedBuffer block;
  if (const Result<void> packed = runtime::pack_weights(description, weights, block); !packed) return packed.error();
  suit_weights(lowered.plan, target.byte_products, block.data());
  if (!has_preparation(lowered.schedule)) return block;
  const Result<Target> here = stand_in(target);
  if (!here) return here.error();
  const auto code = runtime::map_code(link_image(here->arch, emit_preparation(lowered.schedule, lowered.plan, *here)));
  if (!code) return code.error();
  const runtime::KernelFloatMode mode;
  code->prepare(block.data());
  return block;
}

}  // namespace

Result<Level> make_level(const ir::Network& network, const Target& target, const TensorMap& weights,
                         const PlanOptions& options, std::int64_t most_bytes) {
  if (const Result<void> checked = check_sparse(options.weights, options.sparse); !checked) return checked.error();
  if (options.sparse && sums_vectors_alone(target.byte_products))
    return Error{
        ErrorCode::Unsupported, {}, "code for " + name_of(target) + " leaves no zeros out; compile without --sparse"};
  Level level{target};
  std::int64_t bytes = 0;
  const auto make = [&](const ir::Cell& cell) { return make_kind(cell, target, options); };
  const auto add = [&](const ir::Cell& cell, const runtime::TensorRefs& own) -> Result<const runtime::Description*> {
    const Result<std::size_t> number = level.kinds.number_of(cell, make);
    if (!number) return number.error();
    const CellKind& kind = level.kinds[*number];
    const auto block = prepared_weights(kind, target, own);
    if (!block) return block.error();
    bytes += runtime::bytes_of(runtime::kRowFormat, block->size());
    if (bytes > most_bytes)
      return Error{ErrorCode::Limit, network.place({}),
                   "the weights of " + network.name + " take " + std::to_string(bytes) +
                       " bytes, more than an object may hold; compile it to an artifact (.rnnc)"};
    level.cells.push_back({*number, {block->data(), block->data() + block->size()}});
    return &kind.description;
  };
  Result<NetworkParts> parts = put_together(network, name_of(target), weights, options.weights, add);
  if (!parts) return parts.error();
  level.parts = std::move(*parts);
  return level;
}

}  // namespace rnnc::compiler
