#include "compiler/llvm/code_of.hpp"
#include "compiler/llvm/resolve_target.hpp"

#include "compiler/llvm/code_cache.hpp"
#include "compiler/llvm/link_image.hpp"
#include "compiler/llvm/make_artifact.hpp"
#include "compiler/schedule/lower.hpp"
#include "compiler/schedule/tuned.hpp"
#include "ir/environment.hpp"

namespace rnnc::compiler {
namespace {

std::vector<PlanChoice> tuned_choices(const ir::Cell& cell, const Target& target) {
  const Environment environment = read_environment();
  if (!environment.cache_reads) return {};
  return read_tuned(tuned_path(environment.cache_dir, cell, target), cell, target);
}

Result<runtime::StoredArtifact> generate(const ir::Cell& cell, const Target& target, const PlanOptions& plan) {
  Result<runtime::Artifact> made = make_artifact(cell, target, plan);
  if (!made) return made.error();
  runtime::StoredArtifact artifact;
  artifact.features = required_features(target);
  artifact.image = link_image(target.arch, made->object);
  artifact.description = std::move(made->description);
  return artifact;
}

// From the cache where it is there. Who asks for a look at the stages of a compilation gets one.
Result<runtime::StoredArtifact> find_or_generate(const ir::Cell& cell, const Target& target, const PlanOptions& plan,
                                                 bool use_cache) {
  const Environment environment = read_environment();
  const bool looks = environment.debug_ir || environment.debug_plan || environment.debug_llvm ||
                     environment.debug_asm || environment.debug_time;
  const CodeCache cache(environment.cache_dir);
  std::string key = cache_key(cell, target, plan);
  if (use_cache && environment.cache_reads && !looks)
    if (auto found = cache.find(key)) return std::move(*found);
  Result<runtime::StoredArtifact> artifact = generate(cell, target, plan);
  if (!artifact) return artifact;
  artifact->key = std::move(key);
  if (use_cache && environment.cache_writes) cache.store(*artifact);
  return artifact;
}

}  // namespace

bool can_generate_code() { return true; }

Result<CellCode> code_of(const ir::Cell& cell, const Target& target, const CompileOptions& options) {
  PlanOptions plan{.threads = options.threads};
  auto choices = parse_choices(options.plan);
  if (!choices) return choices.error();
  plan.choices = options.plan.empty() ? tuned_choices(cell, target) : std::move(*choices);
  Result<runtime::StoredArtifact> artifact = find_or_generate(cell, target, plan, options.cache);
  // A kept plan may be of another version, which knew other plans.
  if (!artifact && options.plan.empty() && !plan.choices.empty())
    artifact = find_or_generate(cell, target, {.threads = options.threads}, options.cache);
  if (!artifact) return artifact.error();
  const Result<runtime::MappedCode> code = runtime::map_code(artifact->image);
  if (!code) return code.error();
  return CellCode{std::move(artifact->description), {code->run, code->prepare, code->owner}};
}

}  // namespace rnnc::compiler
