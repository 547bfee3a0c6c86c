// From a cell and its weights to an object file and its header.
#include <rnnc/ahead.hpp>

#include <algorithm>
#include <new>

#include "compiler/c_header.hpp"
#include "compiler/choose_cell.hpp"
#include "compiler/emit_entry.hpp"
#include "compiler/llvm_machine.hpp"
#include "compiler/prepared_weights.hpp"

namespace rnnc {
namespace {

using compiler::Level;

// The code reaches them by distances of 32 bits.
constexpr std::int64_t kMaxObjectWeightsBytes = std::int64_t{1} << 30;

Result<Level> make_level(const ir::Cell& cell, const std::string& cpu, const TensorMap& weights) {
  const Result<compiler::Target> target = compiler::resolve_target(cpu, false);
  if (!target) return target.error();
  Result<compiler::Lowered> lowered = compiler::lower(cell, *target);
  if (!lowered) return lowered.error();
  runtime::Description description = compiler::describe(cell, *lowered, *target);
  if (description.weights_size * 4 > kMaxObjectWeightsBytes)
    return Error{ErrorCode::Limit,
                 {cell.file},
                 "the weights of cell " + cell.name + " take " + std::to_string(description.weights_size * 4) +
                     " bytes, more than an object may hold; compile it to an artifact (.rnnc)",
                 {}};
  const auto block = compiler::prepared_weights(*lowered, *target, description, weights);
  if (!block) return block.error();
  return Level{*target, std::move(*lowered), std::move(description),
               std::vector<float>(block->data(), block->data() + block->size())};
}

Result<std::vector<Level>> make_levels(const ir::Cell& cell, const TensorMap& weights,
                                       const std::vector<std::string>& targets) {
  std::vector<Level> levels;
  for (const std::string& cpu : targets.empty() ? std::vector<std::string>{"host"} : targets) {
    Result<Level> level = make_level(cell, cpu, weights);
    if (!level) return level.error();
    levels.push_back(std::move(*level));
  }
  const auto is_arm = [](const Level& level) { return level.target.arch == compiler::Arch::AArch64; };
  if (levels.size() > 1 && std::ranges::any_of(levels, is_arm))
    return Error{
        ErrorCode::Usage, {}, "an object for AArch64 is for one CPU; make one for each, or use aarch64-generic", {}};
  return levels;
}

std::string header_of(const std::string& name, const std::vector<Level>& levels) {
  compiler::HeaderFacts facts{name, {}, levels.front().description, 0};
  for (const Level& level : levels) {
    facts.cpus += (facts.cpus.empty() ? "" : ", ") + name_of(level.target);
    facts.chunk_rows = std::max(facts.chunk_rows, level.description.chunk_rows);
  }
  return compiler::c_header(facts);
}

std::vector<std::byte> object_of(const std::string& name, const std::vector<Level>& levels) {
  llvm::LLVMContext context;
  const auto machine = compiler::machine_for(levels.front().target);
  const auto module = compiler::emit_entries(context, name, levels);
  compiler::finish_module(*module, *machine, levels.front().lowered.schedule.cell);
  const auto bytes = compiler::generate(*module, *machine, llvm::CodeGenFileType::ObjectFile);
  const auto* first = reinterpret_cast<const std::byte*>(bytes.data());
  return {first, first + bytes.size()};
}

}  // namespace

Result<ObjectFiles> compile_object(const Model& model, const TensorMap& weights, const ObjectOptions& options) try {
  const Result<ir::Cell> cell = compiler::choose_cell(model, options.cell, options.dims, weights);
  if (!cell) return cell.error();
  const std::string name = options.name.empty() ? cell->name : options.name;
  if (!compiler::is_c_name(name))
    return Error{ErrorCode::Usage, {}, "'" + name + "' is no C name; use letters, digits and _", {}};
  const Result<std::vector<Level>> levels = make_levels(*cell, weights, options.targets);
  if (!levels) return levels.error();
  return ObjectFiles{object_of(name, *levels), header_of(name, *levels)};
} catch (const std::bad_alloc&) {
  return Error{ErrorCode::Limit, {}, "not enough memory for the weights", {}};
}

}  // namespace rnnc
