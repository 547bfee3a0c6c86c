// From a cell or network and its weights to an artifact.
#include <new>

#include <rnnc/ahead.hpp>
#include <rnnc/compile.hpp>

#include "compiler/llvm/codegen.hpp"
#include "compiler/llvm/link_image.hpp"
#include "compiler/llvm/prepared_weights.hpp"
#include "compiler/llvm/resolve_target.hpp"
#include "compiler/network/choose_cell.hpp"
#include "compiler/network/network.hpp"
#include "compiler/schedule/describe.hpp"
#include "ir/environment.hpp"
#include "ir/print.hpp"
#include "runtime/artifact_file.hpp"

namespace rnnc {

namespace {

// Code and weights of a cell, of which there may be more than one call with other weights.
struct CellParts {
  compiler::Lowered lowered;
  runtime::Description description;
};

Result<CellParts> parts_of(const ir::Cell& cell, const compiler::Target& target, int threads) {
  auto lowered = compiler::lower(cell, target, {.threads = threads});
  if (!lowered) return lowered.error();
  if (const Result<void> checked = compiler::check_weights_size(cell, lowered->plan.weights_size); !checked)
    return checked.error();
  runtime::Description description = compiler::describe(cell, *lowered, target);
  return CellParts{std::move(*lowered), std::move(description)};
}

runtime::CodeImage image_of(const CellParts& parts, const compiler::Target& target) {
  return compiler::link_image(target.arch, compiler::emit_object(parts.lowered.schedule, parts.lowered.plan, target));
}

Result<std::vector<std::byte>> artifact_of(const ir::Cell& cell, const compiler::Target& target,
                                           const TensorMap& weights, int threads) {
  const Result<CellParts> parts = parts_of(cell, target, threads);
  if (!parts) return parts.error();
  const auto block = compiler::prepared_weights(parts->lowered, target, parts->description, weights);
  if (!block) return block.error();
  runtime::StoredArtifact artifact;
  artifact.features = compiler::required_features(target);
  artifact.description = parts->description;
  artifact.image = image_of(*parts, target);
  return runtime::write_artifact(artifact, {block->data(), static_cast<std::size_t>(block->size())});
}

Result<std::vector<std::byte>> artifact_of(const ir::Network& network, const compiler::Target& target,
                                           const TensorMap& weights, int threads) {
  runtime::StoredNetwork stored;
  stored.features = compiler::required_features(target);
  std::map<std::string, std::pair<std::uint32_t, CellParts>> codes;  // by the cell's text
  const auto add = [&](const ir::Cell& cell, const TensorMap& own,
                       runtime::CellCall&) -> Result<const runtime::Description*> {
    const auto [entry, added] = codes.try_emplace(ir::print(cell));
    auto& [number, parts] = entry->second;
    if (added) {
      Result<CellParts> made = parts_of(cell, target, threads);
      if (!made) return made.error();
      parts = std::move(*made);
      number = static_cast<std::uint32_t>(stored.codes.size());
      stored.codes.push_back({parts.description, image_of(parts, target)});
    }
    const auto block = compiler::prepared_weights(parts.lowered, target, parts.description, own);
    if (!block) return block.error();
    stored.cells.push_back({number, {block->data(), block->data() + block->size()}});
    return &parts.description;
  };
  Result<compiler::NetworkParts> parts = compiler::put_together(network, compiler::name_of(target), weights, add);
  if (!parts) return parts.error();
  stored.description = std::move(parts->description);
  stored.network = std::move(parts->network);
  return runtime::write_artifact(stored);
}

}  // namespace

Result<std::vector<std::byte>> compile_artifact(const Model& model, const TensorMap& weights,
                                                const ArtifactOptions& options) try {
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
  const auto network = compiler::choose_network(model, options.cell, options.dims, weights);
  if (!network) return network.error();
  if (*network) return artifact_of(**network, *target, weights, options.threads);
  const Result<ir::Cell> cell = compiler::choose_cell(model, options.cell, options.dims, weights);
  if (!cell) return cell.error();
  return artifact_of(*cell, *target, weights, options.threads);
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {}, "not enough memory for the weights", {}};
}

}  // namespace rnnc
