// A model and its weights become an artifact: one file that the runtime loads without a compiler.
#include <new>

#include <rnnc/ahead.hpp>
#include <rnnc/compile.hpp>
#include <rnnc/default_float_environment.hpp>

#include "compiler/llvm/codegen.hpp"
#include "compiler/llvm/link_image.hpp"
#include "compiler/llvm/prepared_weights.hpp"
#include "compiler/llvm/resolve_target.hpp"
#include "compiler/network/choose_cell.hpp"
#include "compiler/network/network.hpp"
#include "compiler/schedule/kinds.hpp"
#include "compiler/schedule/lower.hpp"
#include "ir/environment.hpp"
#include "runtime/artifact_file.hpp"

namespace rnnc {

namespace {

runtime::CodeImage image_of(const compiler::CellKind& kind, const compiler::Target& target) {
  return compiler::link_image(target.arch, compiler::emit_object(kind.lowered.schedule, kind.lowered.plan, target));
}

Result<std::vector<std::byte>> artifact_of(const ir::Network& network, const compiler::Target& target,
                                           const TensorMap& weights, int threads) {
  runtime::StoredProgram stored;
  stored.features = compiler::required_features(target);
  compiler::Kinds<compiler::CellKind> kinds;
  const auto make = [&](const ir::Cell& cell) { return compiler::make_kind(cell, target, {.threads = threads}); };
  const auto add = [&](const ir::Cell& cell, const runtime::TensorRefs& own) -> Result<const runtime::Description*> {
    const Result<std::size_t> number = kinds.number_of(cell, make);
    if (!number) return number.error();
    const compiler::CellKind& kind = kinds[*number];
    if (*number == stored.codes.size()) stored.codes.push_back({kind.description, image_of(kind, target)});
    const auto block = compiler::prepared_weights(kind.lowered, target, kind.description, own);
    if (!block) return block.error();
    stored.cells.push_back({static_cast<std::uint32_t>(*number), {block->data(), block->data() + block->size()}});
    return &kind.description;
  };
  Result<compiler::NetworkParts> parts = compiler::put_together(network, compiler::name_of(target), weights, add);
  if (!parts) return parts.error();
  stored.description = std::move(parts->description);
  stored.list = std::move(parts->list);
  return runtime::write_artifact(stored);
}

}  // namespace

Result<std::vector<std::byte>> compile_artifact(const Model& model, const TensorMap& weights,
                                                const ArtifactOptions& options) try {
  const DefaultFloatEnvironment environment;
  if (options.threads < 1 || options.threads > kMaxThreads)
    return Error{ErrorCode::Usage, {}, "threads = " + std::to_string(options.threads) + " is not in [1, 1024]", {}};
  const std::string cpu = options.cpu.empty() ? read_environment().isa : options.cpu;
  const Result<compiler::Target> target = compiler::resolve_target(cpu, false);
  if (!target) return target.error();
  if (!compiler::facts(target->arch).has_images)
    return Error{
        ErrorCode::Unsupported,
        {},
        "artifacts are for x86-64; compile to an object (-o m.o --header m.h) for " + compiler::name_of(*target),
        {}};
  const Result<ir::Network> network = compiler::choose_program(model, options.cell, options.dims, weights);
  if (!network) return network.error();
  return artifact_of(*network, *target, weights, options.threads);
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {}, "not enough memory for the weights", {}};
}

}  // namespace rnnc
