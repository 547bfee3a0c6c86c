// From a cell and its weights to an artifact.
#include <new>

#include <rnnc/ahead.hpp>
#include <rnnc/compile.hpp>

#include "compiler/choose_cell.hpp"
#include "compiler/codegen.hpp"
#include "compiler/link_image.hpp"
#include "compiler/prepared_weights.hpp"
#include "ir/environment.hpp"
#include "runtime/artifact_file.hpp"

namespace rnnc {

Result<std::vector<std::byte>> compile_artifact(const Model& model, const TensorMap& weights,
                                                const ArtifactOptions& options) try {
  if (options.threads < 1 || options.threads > kMaxThreads)
    return Error{ErrorCode::Usage, {}, "threads = " + std::to_string(options.threads) + " is not in [1, 1024]", {}};
  const std::string cpu = options.cpu.empty() ? read_environment().isa : options.cpu;
  const Result<compiler::Target> target = compiler::resolve_target(cpu, false);
  if (!target) return target.error();
  const Result<ir::Cell> cell = compiler::choose_cell(model, options.cell, options.dims, weights);
  if (!cell) return cell.error();
  const auto lowered = compiler::lower(*cell, *target, {.threads = options.threads});
  if (!lowered) return lowered.error();
  if (const Result<void> checked = compiler::check_weights_size(*cell, lowered->plan); !checked) return checked.error();
  runtime::StoredArtifact artifact;
  artifact.features = compiler::required_features(*target);
  artifact.description = compiler::describe(*cell, *lowered, *target);
  const auto block = compiler::prepared_weights(*lowered, *target, artifact.description, weights);
  if (!block) return block.error();
  artifact.image = compiler::link_image(compiler::emit_object(lowered->schedule, lowered->plan, *target));
  return runtime::write_artifact(artifact, {block->data(), static_cast<std::size_t>(block->size())});
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {}, "not enough memory for the weights", {}};
}

}  // namespace rnnc
