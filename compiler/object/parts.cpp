#include "compiler/object/parts.hpp"

#include <algorithm>
#include <utility>

#include "compiler/llvm/machine.hpp"
#include "compiler/llvm/resolve_target.hpp"
#include "compiler/network/choose_cell.hpp"

namespace rnnc::compiler {
namespace {

using runtime::Description;

// The code reaches the weights by distances of 32 bits with a sign, 2 GiB at most. The limit is half of that.
constexpr std::int64_t kMaxObjectWeightsBytes = std::int64_t{1} << 30;

Result<std::vector<Level>> make_levels(const ir::Network& network, const ObjectOptions& options,
                                       const TensorMap& weights) {
  std::vector<Level> levels;
  for (const std::string& cpu : options.targets.empty() ? std::vector<std::string>{"host"} : options.targets) {
    const Result<Target> target = resolve_target(cpu, false);
    if (!target) return target.error();
    Result<Level> level = make_level(network, *target, weights, {.weights = options.weights, .sparse = options.sparse},
                                     kMaxObjectWeightsBytes);
    if (!level) return level.error();
    levels.push_back(std::move(*level));
  }
  for (const Level& level : levels)
    if (const ArchFacts& arch = facts(level.target.arch); levels.size() > 1 && !arch.has_choice)
      return Error{ErrorCode::Usage,
                   {},
                   "an object for " + std::string(arch.name) + " is for one CPU; make one for each, or use " +
                       arch.prefix + arch.baseline_cpu};
  return levels;
}

std::int64_t weights_bytes(const std::vector<Level>& levels) {
  std::size_t floats = 0;
  for (const Level& level : levels)
    for (const CellUse& cell : level.cells) floats += cell.weights.size();
  return runtime::bytes_of(runtime::kRowFormat, static_cast<std::int64_t>(floats));
}

// Sums over time are computed with double.
bool calls_doubles(const ObjectProgram& program, const Level& level) {
  const auto is_sum = [](const runtime::AnyStep& step) {
    const auto* reduction = std::get_if<runtime::ReduceTime>(&step);
    return reduction &&
           (reduction->function == runtime::OverTime::Sum || reduction->function == runtime::OverTime::Mean);
  };
  return !facts(level.target.arch).has_doubles && std::ranges::any_of(program.list.steps, is_sum);
}

std::vector<StatePlace> places_of(const ObjectProgram& program, const Level& level) {
  std::vector<StatePlace> places;
  for (const runtime::NamedState& named : program.list.states) {
    const Description& cell = level.description(named.cell);
    const runtime::StateInfo& state = cell.states[static_cast<std::size_t>(named.state)];
    const std::int64_t before = program.memory.states[static_cast<std::size_t>(named.cell)];
    places.push_back({{named.name, state.tensor.shape},
                      state.size,
                      before + (state.doubled ? 0 : cell.doubled_row),
                      state.doubled ? cell.doubled_row : cell.in_place_row,
                      state.offset,
                      state.low,
                      state.high});
  }
  return places;
}

std::vector<const Description*> descriptions_of(const Level& level) {
  std::vector<const Description*> descriptions;
  for (int i = 0; i < std::ssize(level.cells); ++i) descriptions.push_back(&level.description(i));
  return descriptions;
}

Result<std::string> name_for(const std::string& own, const ObjectOptions& options) {
  const std::string& name = options.name.empty() ? own : options.name;
  if (is_c_name(name)) return name;
  return Error{ErrorCode::Usage, {}, "'" + name + "' is no C name; use letters, digits and _"};
}

}  // namespace

Result<Parts> parts_of(const Model& model, const TensorMap& weights, const ObjectOptions& options) {
  const Result<ir::Network> network = choose_program(model, weights, options);
  if (!network) return network.error();
  const Result<std::string> name = name_for(network->name, options);
  if (!name) return name.error();
  Result<std::vector<Level>> levels = make_levels(*network, options, weights);
  if (!levels) return levels.error();
  ObjectProgram program{levels->front().parts.list, {}};
  program.memory = plan_object_memory(program.list, descriptions_of(levels->front()));
  return Parts{*name, std::move(*levels), std::move(program)};
}

HeaderFacts facts_of(const Parts& parts) {
  const auto& [name, levels, program] = parts;
  HeaderFacts facts{.name = name,
                    .cpus = {},
                    .description = levels.front().parts.description,
                    .program = program,
                    .index_bytes = compiler::facts(levels.front().target.arch).index_bytes,
                    .weights_bytes = weights_bytes(levels),
                    .calls_doubles = calls_doubles(program, levels.front()),
                    .states = places_of(program, levels.front())};
  for (const Level& level : levels) {
    facts.cpus += (facts.cpus.empty() ? "" : ", ") + name_of(level.target);
    for (const CellKind& kind : level.kinds.all())
      facts.chunk_rows = std::max(facts.chunk_rows, kind.description.chunk_rows);
  }
  return facts;
}

bool is_public(const llvm::Function& function) { return !function.isDeclaration() && function.hasExternalLinkage(); }

std::vector<std::byte> object_of(const Parts& parts, llvm::function_ref<void(llvm::Module&)> change,
                                 std::string* llvm) {
  const auto& [name, levels, program] = parts;
  llvm::LLVMContext context;
  const auto machine = machine_for(levels.front().target);
  const auto module = emit_program(context, name, program, levels);
  change(*module);
  finish_module(*module, *machine, levels.front().target.arch, nullptr);
  if (llvm) *llvm = text_of(*module);
  const auto bytes = generate(*module, *machine, llvm::CodeGenFileType::ObjectFile);
  const auto* first = reinterpret_cast<const std::byte*>(bytes.data());
  return {first, first + bytes.size()};
}

}  // namespace rnnc::compiler
