// A model and its weights become an artifact: one file that the runtime loads without a compiler.
#include <new>

#include <rnnc/ahead.hpp>
#include <rnnc/compile.hpp>
#include <rnnc/default_float_environment.hpp>

#include "compiler/llvm/codegen.hpp"
#include "compiler/llvm/link_image.hpp"
#include "compiler/llvm/resolve_target.hpp"
#include "compiler/network/choose_cell.hpp"
#include "compiler/object/level.hpp"
#include "ir/environment.hpp"
#include "runtime/artifact_file.hpp"
#include "runtime/sharing.hpp"

namespace rnnc {

namespace {

runtime::CodeImage image_of(const compiler::CellKind& kind, const compiler::Target& target) {
  return compiler::link_image(target.arch, compiler::emit_object(kind.lowered.schedule, kind.lowered.plan, target));
}

Result<std::vector<std::byte>> artifact_of(const ir::Network& network, const compiler::Target& target,
                                           const TensorMap& weights, int threads) {
  Result<compiler::Level> level = compiler::make_level(network, target, weights, {.threads = threads});
  if (!level) return level.error();
  runtime::StoredProgram stored;
  stored.features = compiler::required_features(target);
  stored.description = std::move(level->parts.description);
  stored.list = std::move(level->parts.list);
  for (const compiler::CellKind& kind : level->kinds.all())
    stored.codes.push_back({kind.description, image_of(kind, target)});
  for (compiler::CellUse& cell : level->cells)
    stored.cells.push_back({static_cast<std::uint32_t>(cell.kind), std::move(cell.weights)});
  return runtime::write_artifact(stored);
}

}  // namespace

Result<std::vector<std::byte>> compile_artifact(const Model& model, const TensorMap& weights,
                                                const ArtifactOptions& options) try {
  const DefaultFloatEnvironment environment;
  if (const Result<void> checked = runtime::check_threads(options.threads); !checked) return checked.error();
  const std::string cpu = options.cpu.empty() ? read_environment().isa : options.cpu;
  const Result<compiler::Target> target = compiler::resolve_target(cpu, false);
  if (!target) return target.error();
  if (!compiler::facts(target->arch).has_images)
    return Error{
        ErrorCode::Unsupported,
        {},
        "artifacts are for x86-64; compile to an object (-o m.o --header m.h) for " + compiler::name_of(*target)};
  const Result<ir::Network> network = compiler::choose_program(model, options.cell, options.dims, weights);
  if (!network) return network.error();
  return artifact_of(*network, *target, weights, options.threads);
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {}, "not enough memory for the weights"};
}

}  // namespace rnnc
