#include "compiler/llvm/code_of.hpp"

#include <memory>

#include "compiler/llvm/codegen.hpp"
#include "compiler/llvm/dump.hpp"
#include "compiler/llvm/link_image.hpp"
#include "compiler/llvm/resolve_target.hpp"
#include "compiler/schedule/code_cache.hpp"
#include "compiler/schedule/limits.hpp"
#include "compiler/schedule/lower.hpp"
#include "compiler/schedule/tuned.hpp"
#include "ir/environment.hpp"

namespace rnnc::compiler {
namespace {

// A cell that is lowered and waits for LLVM.
struct Waiting {
  CellKind kind;
  Target target;
  std::string key;
  bool keep = false;  // the code goes to the cache
};

Result<CellKind> lower_and_show(const ir::Cell& cell, const Target& target, const PlanOptions& options,
                                Dumper& dumper) {
  Result<CellKind> kind = make_kind(cell, target, options, [&](auto name, const ir::Cell& after, double seconds) {
    dumper.pass(name, after, seconds);
  });
  if (kind) dumper.plan(kind->lowered, target);
  return kind;
}

runtime::CodeImage image_of(const Lowered& lowered, const Target& target, Dumper& dumper) {
  return link_image(target.arch,
                    dumper.timed("codegen", [&] { return emit_object(lowered.schedule, lowered.plan, target); }));
}

Result<runtime::Code> mapped(const runtime::CodeImage& image) {
  const Result<runtime::MappedCode> code = runtime::map_code(image);
  if (!code) return code.error();
  return runtime::Code{code->run, code->prepare, code->owner};
}

PendingCode found_in_cache(runtime::StoredEntry entry) {
  return {std::move(entry.code.description), [image = std::move(entry.code.image)] { return mapped(image); }, true};
}

Result<PendingCode> find_or_plan(const ir::Cell& cell, const Target& target, const PlanOptions& plan, bool use_cache) {
  const Environment environment = read_environment();
  std::string key = cache_key(cell, target, plan);
  if (use_cache && environment.cache_reads && !shows_stages())
    if (auto found = CodeCache(environment.cache_dir).find(key)) return found_in_cache(std::move(*found));
  const auto dumper = std::make_shared<Dumper>(cell);
  Result<CellKind> kind = lower_and_show(cell, target, plan, *dumper);
  if (!kind) return kind.error();
  runtime::Description description = kind->description;
  const auto waiting = std::make_shared<Waiting>(
      Waiting{std::move(*kind), target, std::move(key), use_cache && environment.cache_writes});
  const auto make = [waiting, dumper, folder = environment.cache_dir]() -> Result<runtime::Code> {
    const auto& [lowered, of_code] = waiting->kind;
    runtime::StoredEntry entry{std::move(waiting->key),
                               required_features(waiting->target),
                               {of_code, image_of(lowered, waiting->target, *dumper)}};
    if (waiting->keep) CodeCache(folder).store(entry);
    return mapped(entry.code.image);
  };
  return PendingCode{std::move(description), make};
}

}  // namespace

bool can_generate_code() { return true; }

bool shows_stages() {
  const Environment environment = read_environment();
  return environment.debug_ir || environment.debug_plan || environment.debug_llvm || environment.debug_asm ||
         environment.debug_time;
}

Result<runtime::StoredCode> generate_code(const ir::Cell& cell, const Target& target, const PlanOptions& options) {
  Dumper dumper(cell);
  Result<CellKind> kind = lower_and_show(cell, target, options, dumper);
  if (!kind) return kind.error();
  runtime::CodeImage image = image_of(kind->lowered, target, dumper);
  return runtime::StoredCode{std::move(kind->description), std::move(image)};
}

Result<PendingCode> plan_code(const ir::Cell& cell, const Target& target, const CompileOptions& options,
                              bool beside_others) {
  PlanOptions plan{.threads = options.threads,
                   .beside_others = beside_others,
                   .weights = options.weights,
                   .machine = measured_machine(target),
                   .sparse = options.sparse};
  auto choices = parse_choices(options.plan);
  if (!choices) return choices.error();
  plan.choices = std::move(*choices);
  const TunedChoices tuned = tuned_choices(cell, target, plan);
  if (!tuned.choices.empty()) plan.choices = tuned.choices;
  Result<PendingCode> code = find_or_plan(cell, target, plan, options.cache);
  // The tuned plan may come from another version of rnnc, which knew other plans.
  if (!code && !tuned.choices.empty()) {
    plan.choices.clear();
    code = find_or_plan(cell, target, plan, options.cache);
  }
  return code;
}

}  // namespace rnnc::compiler
