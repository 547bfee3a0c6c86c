// From a cell or network and its weights to an object file and its header.
#include <rnnc/ahead.hpp>

#include <algorithm>
#include <map>
#include <new>
#include <utility>

#include "compiler/llvm/machine.hpp"
#include "compiler/llvm/prepared_weights.hpp"
#include "compiler/llvm/resolve_target.hpp"
#include "compiler/network/choose_cell.hpp"
#include "compiler/network/network.hpp"
#include "compiler/object/c_header.hpp"
#include "compiler/object/emit_entry.hpp"
#include "compiler/object/emit_network.hpp"
#include "compiler/object/object_llvm.hpp"
#include "ir/print.hpp"

namespace rnnc {
namespace {

using compiler::CellKind;
using compiler::Level;
using runtime::Description;

// The code reaches them by distances of 32 bits.
constexpr std::int64_t kMaxObjectWeightsBytes = std::int64_t{1} << 30;

std::int64_t weights_bytes(const std::vector<Level>& levels) {
  std::size_t floats = 0;
  for (const Level& level : levels)
    for (const compiler::CellUse& cell : level.cells) floats += cell.weights.size();
  return runtime::bytes_of(runtime::kRowFormat, static_cast<std::int64_t>(floats));
}

Result<CellKind> make_kind(const ir::Cell& cell, const compiler::Target& target) {
  Result<compiler::Lowered> lowered = compiler::lower(cell, target);
  if (!lowered) return lowered.error();
  Description description = compiler::describe(cell, *lowered, target);
  return CellKind{std::move(*lowered), std::move(description)};
}

Result<void> check_size(const std::string& file, const std::string& what, std::int64_t bytes) {
  if (bytes <= kMaxObjectWeightsBytes) return {};
  return Error{ErrorCode::Limit,
               {file},
               "the weights of " + what + " take " + std::to_string(bytes) +
                   " bytes, more than an object may hold; compile it to an artifact (.rnnc)",
               {}};
}

Result<void> add_use(Level& level, std::size_t kind, const TensorMap& weights) {
  const CellKind& of = level.kinds[kind];
  const auto block = compiler::prepared_weights(of.lowered, level.target, of.description, weights);
  if (!block) return block.error();
  level.cells.push_back({kind, std::vector<float>(block->data(), block->data() + block->size())});
  return {};
}

// ---- levels

Result<Level> make_level(const ir::Cell& cell, const compiler::Target& target, const TensorMap& weights) {
  Result<CellKind> kind = make_kind(cell, target);
  if (!kind) return kind.error();
  if (const auto checked = check_size(cell.file, "cell " + cell.name,
                                      runtime::bytes_of(runtime::kRowFormat, kind->description.weights_size));
      !checked)
    return checked.error();
  Level level{target, {}, {}};
  level.kinds.push_back(std::move(*kind));
  if (const auto added = add_use(level, 0, weights); !added) return added.error();
  return level;
}

// Code once for each kind of cell.
Result<Level> make_level(const ir::Network& network, const compiler::Target& target, const TensorMap& weights,
                         std::vector<compiler::NetworkParts>& parts) {
  Level level{target, {}, {}};
  std::map<std::string, std::size_t> kinds;  // by the cell's text
  std::int64_t floats = 0;
  const auto add = [&](const ir::Cell& cell, const TensorMap& own, runtime::CellCall&) -> Result<const Description*> {
    const auto [entry, is_new] = kinds.try_emplace(ir::print(cell), level.kinds.size());
    if (is_new) {
      Result<CellKind> kind = make_kind(cell, target);
      if (!kind) return kind.error();
      level.kinds.push_back(std::move(*kind));
    }
    const Description& description = level.kinds[entry->second].description;
    floats += description.weights_size;
    if (const auto checked =
            check_size(network.file, "network " + network.name, runtime::bytes_of(runtime::kRowFormat, floats));
        !checked)
      return checked.error();
    if (const auto added = add_use(level, entry->second, own); !added) return added.error();
    return &description;
  };
  Result<compiler::NetworkParts> made = compiler::put_together(network, compiler::name_of(target), weights, add);
  if (!made) return made.error();
  parts.push_back(std::move(*made));
  return level;
}

// `make` makes the level of a target.
template <class Make>
Result<std::vector<Level>> make_levels(const std::vector<std::string>& targets, const Make& make) {
  std::vector<Level> levels;
  for (const std::string& cpu : targets.empty() ? std::vector<std::string>{"host"} : targets) {
    const Result<compiler::Target> target = compiler::resolve_target(cpu, false);
    if (!target) return target.error();
    Result<Level> level = make(*target);
    if (!level) return level.error();
    levels.push_back(std::move(*level));
  }
  for (const Level& level : levels)
    if (const compiler::ArchFacts& arch = facts(level.target.arch); levels.size() > 1 && !arch.has_choice)
      return Error{ErrorCode::Usage,
                   {},
                   "an object for " + std::string(arch.name) + " is for one CPU; make one for each, or use " +
                       arch.prefix + arch.baseline_cpu,
                   {}};
  return levels;
}

// ---- files

compiler::HeaderFacts facts_of(const std::string& name, const Description& description,
                               const std::vector<Level>& levels) {
  compiler::HeaderFacts facts{.name = name,
                              .cpus = {},
                              .description = description,
                              .weights_bytes = weights_bytes(levels),
                              .scratch = {},
                              .states = {}};
  for (const Level& level : levels) {
    facts.cpus += (facts.cpus.empty() ? "" : ", ") + name_of(level.target);
    for (const CellKind& kind : level.kinds) facts.chunk_rows = std::max(facts.chunk_rows, kind.description.chunk_rows);
  }
  return facts;
}

// `before` floats of a sequence lie before the states of this cell.
compiler::StatePlace place_of(const Description& cell, const runtime::StateInfo& state, const std::string& name,
                              std::int64_t before) {
  return {{name, state.tensor.shape},
          state.size,
          before + (state.doubled ? 0 : cell.doubled_row),
          state.doubled ? cell.doubled_row : cell.in_place_row,
          state.offset};
}

std::string header_of(const std::string& name, const std::vector<Level>& levels) {
  const Description& d = levels.front().kinds.front().description;
  compiler::HeaderFacts facts = facts_of(name, d, levels);
  facts.state_row = d.doubled_row + d.in_place_row;
  facts.scratch = {d.doubled_row + d.step_row, 0, d.sequence_row, 0};
  for (const runtime::StateInfo& state : d.states) facts.states.push_back(place_of(d, state, state.tensor.name, 0));
  return compiler::c_header(facts);
}

std::vector<const Description*> descriptions_of(const Level& level) {
  std::vector<const Description*> descriptions;
  for (std::size_t i = 0; i < level.cells.size(); ++i) descriptions.push_back(&level.kind_of(i).description);
  return descriptions;
}

std::string header_of(const std::string& name, const Description& description, const compiler::ObjectNetwork& object,
                      const std::vector<Level>& levels) {
  constexpr std::int64_t kLine = runtime::kCacheLineFloats;  // working memory begins with one
  const compiler::ObjectMemory& memory = object.memory;
  compiler::HeaderFacts facts = facts_of(name, description, levels);
  facts.network = &object.network;
  facts.state_row = memory.state_row;
  facts.scratch = {memory.once_columns + memory.call_row, memory.timed_columns, memory.chunk_row, kLine};
  std::vector<std::size_t> cells;  // by call: how many cells' calls are before it
  std::size_t count = 0;
  for (const runtime::NetworkCall& call : object.network.calls) {
    cells.push_back(count);
    count += std::holds_alternative<runtime::CellCall>(call) ? 1 : 0;
  }
  for (const runtime::NetworkStateInfo& state : object.network.states) {
    const std::size_t cell = cells[static_cast<std::size_t>(state.call)];
    const Description& d = levels.front().kind_of(cell).description;
    facts.states.push_back(
        place_of(d, d.states[static_cast<std::size_t>(state.state)], state.name, memory.states[cell]));
  }
  return compiler::c_header(facts);
}

// `emit` makes the module, whose text `llvm` takes if it is not null.
template <class Emit>
std::vector<std::byte> object_of(const compiler::Target& target, std::string* llvm, const Emit& emit) {
  llvm::LLVMContext context;
  const auto machine = compiler::machine_for(target);
  const auto module = emit(context);
  compiler::finish_module(*module, *machine, nullptr);
  if (llvm) *llvm = compiler::text_of(*module);
  const auto bytes = compiler::generate(*module, *machine, llvm::CodeGenFileType::ObjectFile);
  const auto* first = reinterpret_cast<const std::byte*>(bytes.data());
  return {first, first + bytes.size()};
}

Result<std::string> name_for(const std::string& own, const ObjectOptions& options) {
  const std::string& name = options.name.empty() ? own : options.name;
  if (compiler::is_c_name(name)) return name;
  return Error{ErrorCode::Usage, {}, "'" + name + "' is no C name; use letters, digits and _", {}};
}

Result<ObjectFiles> object_files(const ir::Cell& cell, const TensorMap& weights, const ObjectOptions& options,
                                 std::string* llvm) {
  const Result<std::string> name = name_for(cell.name, options);
  if (!name) return name.error();
  const auto levels =
      make_levels(options.targets, [&](const compiler::Target& target) { return make_level(cell, target, weights); });
  if (!levels) return levels.error();
  const auto emit = [&](llvm::LLVMContext& context) { return compiler::emit_entries(context, *name, *levels); };
  return ObjectFiles{object_of(levels->front().target, llvm, emit), header_of(*name, *levels)};
}

Result<ObjectFiles> object_files(const ir::Network& network, const TensorMap& weights, const ObjectOptions& options,
                                 std::string* llvm) {
  const Result<std::string> name = name_for(network.name, options);
  if (!name) return name.error();
  std::vector<compiler::NetworkParts> parts;  // of each level; they differ in nothing that is read here
  const auto levels = make_levels(
      options.targets, [&](const compiler::Target& target) { return make_level(network, target, weights, parts); });
  if (!levels) return levels.error();
  compiler::ObjectNetwork object{std::move(parts.front().network), {}};
  object.memory = compiler::plan_object_memory(object.network, descriptions_of(levels->front()));
  const auto emit = [&](llvm::LLVMContext& context) { return compiler::emit_network(context, *name, object, *levels); };
  return ObjectFiles{object_of(levels->front().target, llvm, emit),
                     header_of(*name, parts.front().description, object, *levels)};
}

Result<ObjectFiles> files_of(const Model& model, const TensorMap& weights, const ObjectOptions& options,
                             std::string* llvm) try {
  const auto network = compiler::choose_network(model, options.cell, options.dims, weights);
  if (!network) return network.error();
  if (*network) return object_files(**network, weights, options, llvm);
  const Result<ir::Cell> cell = compiler::choose_cell(model, options.cell, options.dims, weights);
  if (!cell) return cell.error();
  return object_files(*cell, weights, options, llvm);
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {}, "not enough memory for the weights", {}};
}

}  // namespace

Result<ObjectFiles> compile_object(const Model& model, const TensorMap& weights, const ObjectOptions& options) {
  return files_of(model, weights, options, nullptr);
}

Result<std::string> compiler::object_llvm(const Model& model, const TensorMap& weights, const ObjectOptions& options) {
  std::string text;
  if (const auto files = files_of(model, weights, options, &text); !files) return files.error();
  return text;
}

}  // namespace rnnc
