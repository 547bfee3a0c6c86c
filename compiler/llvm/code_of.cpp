#include "compiler/llvm/code_of.hpp"

#include "compiler/llvm/codegen.hpp"
#include "compiler/llvm/dump.hpp"
#include "compiler/llvm/link_image.hpp"
#include "compiler/llvm/resolve_target.hpp"
#include "compiler/schedule/code_cache.hpp"
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

// Takes the code from the cache where it is there. A compilation whose stages RNNC_DEBUG is to show always runs.
Result<runtime::StoredEntry> find_or_generate(const ir::Cell& cell, const Target& target, const PlanOptions& plan,
                                              bool use_cache) {
  const Environment environment = read_environment();
  const bool looks = environment.debug_ir || environment.debug_plan || environment.debug_llvm ||
                     environment.debug_asm || environment.debug_time;
  const CodeCache cache(environment.cache_dir);
  std::string key = cache_key(cell, target, plan);
  if (use_cache && environment.cache_reads && !looks)
    if (auto found = cache.find(key)) return std::move(*found);
  Result<runtime::StoredCode> code = generate_code(cell, target, plan);
  if (!code) return code.error();
  runtime::StoredEntry entry{std::move(key), required_features(target), std::move(*code)};
  if (use_cache && environment.cache_writes) cache.store(entry);
  return entry;
}

}  // namespace

bool can_generate_code() { return true; }

Result<runtime::StoredCode> generate_code(const ir::Cell& cell, const Target& target, const PlanOptions& options) {
  Dumper dumper(cell);
  Result<CellKind> kind = make_kind(cell, target, options, [&](auto name, const ir::Cell& after, double seconds) {
    dumper.pass(name, after, seconds);
  });
  if (!kind) return kind.error();
  const Lowered& lowered = kind->lowered;
  dumper.plan(lowered, target);
  const auto object = dumper.timed("codegen", [&] { return emit_object(lowered.schedule, lowered.plan, target); });
  return runtime::StoredCode{std::move(kind->description), link_image(target.arch, object)};
}

Result<CellCode> code_of(const ir::Cell& cell, const Target& target, const CompileOptions& options) {
  PlanOptions plan{.threads = options.threads};
  auto choices = parse_choices(options.plan);
  if (!choices) return choices.error();
  plan.choices = options.plan.empty() ? tuned_choices(cell, target) : std::move(*choices);
  Result<runtime::StoredEntry> entry = find_or_generate(cell, target, plan, options.cache);
  // The tuned plan may come from another version of rnnc, which knew other plans.
  if (!entry && options.plan.empty() && !plan.choices.empty())
    entry = find_or_generate(cell, target, {.threads = options.threads}, options.cache);
  if (!entry) return entry.error();
  const Result<runtime::MappedCode> code = runtime::map_code(entry->code.image);
  if (!code) return code.error();
  return CellCode{std::move(entry->code.description), {code->run, code->prepare, code->owner}};
}

}  // namespace rnnc::compiler
