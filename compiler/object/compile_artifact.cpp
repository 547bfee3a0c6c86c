// A model and its weights become an artifact: one file, with code for one or several CPUs, that the runtime loads
// without a compiler.
#include <algorithm>
#include <new>
#include <string_view>
#include <unordered_map>

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

// Finds weights that are there already, bit for bit: cells of several levels may be packed alike.
class SharedWeights {
 public:
  explicit SharedWeights(std::vector<std::vector<float>>& all) : all_(all) {}

  std::uint32_t number_of(std::vector<float> weights) {
    const auto [entry, is_new] = numbers_.try_emplace(bytes_of(weights), static_cast<std::uint32_t>(all_.size()));
    if (is_new) all_.push_back(std::move(weights));
    return entry->second;
  }

 private:
  // The elements of a vector stay where they are when the vector is moved.
  static std::string_view bytes_of(const std::vector<float>& weights) {
    return {reinterpret_cast<const char*>(weights.data()), weights.size() * sizeof(float)};
  }

  std::vector<std::vector<float>>& all_;
  std::unordered_map<std::string_view, std::uint32_t> numbers_;
};

Result<std::vector<std::byte>> artifact_of(const ir::Network& network, const std::vector<compiler::Target>& targets,
                                           const TensorMap& weights, const ArtifactOptions& options) {
  runtime::StoredProgram stored;
  SharedWeights shared(stored.weights);
  for (const compiler::Target& target : targets) {
    Result<compiler::Level> made = compiler::make_level(
        network, target, weights, {.threads = options.threads, .weights = options.weights, .sparse = options.sparse});
    if (!made) return made.error();
    runtime::StoredLevel level{name_of(target), compiler::required_features(target), {}, {}};
    for (const compiler::CellKind& kind : made->kinds.all())
      level.codes.push_back({kind.description, image_of(kind, target)});
    for (compiler::CellUse& cell : made->cells)
      level.cells.push_back({static_cast<std::uint32_t>(cell.kind), shared.number_of(std::move(cell.weights))});
    stored.levels.push_back(std::move(level));
    stored.description = std::move(made->parts.description);
    stored.list = std::move(made->parts.list);
  }
  stored.description.cpu.clear();
  return runtime::write_artifact(stored);
}

Result<std::vector<compiler::Target>> targets_of(const std::vector<std::string>& names) {
  std::vector<compiler::Target> targets;
  for (const std::string& name : names.empty() ? std::vector{read_environment().isa} : names) {
    Result<compiler::Target> target = compiler::resolve_target(name, false);
    if (!target) return target.error();
    const std::string cpu = name_of(*target);
    if (!compiler::facts(target->arch).has_images)
      return Error{ErrorCode::Unsupported,
                   {},
                   "artifacts are for x86-64; compile to " + compiler::file_for(target->arch) + " for " + cpu};
    if (std::ranges::find(targets, cpu, compiler::name_of) != targets.end())
      return Error{ErrorCode::Usage, {}, cpu + " is given twice; an artifact has one level for a CPU"};
    targets.push_back(std::move(*target));
  }
  return targets;
}

}  // namespace

Result<std::vector<std::byte>> compile_artifact(const Model& model, const TensorMap& weights,
                                                const ArtifactOptions& options) try {
  const DefaultFloatEnvironment environment;
  if (const Result<void> checked = runtime::check_threads(options.threads); !checked) return checked.error();
  const Result<std::vector<compiler::Target>> targets = targets_of(options.targets);
  if (!targets) return targets.error();
  const Result<ir::Network> network = compiler::choose_program(model, weights, options);
  if (!network) return network.error();
  return artifact_of(*network, *targets, weights, options);
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {}, "not enough memory for the weights"};
}

}  // namespace rnnc
