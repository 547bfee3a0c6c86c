#include "compiler/schedule/tuned.hpp"

#include <fstream>

#include "compiler/schedule/file_name.hpp"
#include "compiler/schedule/kept_files.hpp"
#include "ir/environment.hpp"
#include "ir/parse.hpp"
#include "ir/print.hpp"

namespace rnnc::compiler {
namespace {

constexpr std::size_t kMostPlanBytes = 1 << 20;
constexpr const char* kHeader = "rnnc plan 1\n";
constexpr std::string_view kPlanPrefix = "plan-", kPlanSuffix = ".txt";

// Returns the facts on which a plan depends: the CPU, the numbers of a measured machine, and the text of the bound
// cell.
std::string subject(const TunedFor& what) {
  const std::string machine = what.machine ? "machine " + numbers_of(*what.machine) + "\n" : "";
  return "cpu " + name_of(what.target) + "\n" + machine + ir::print(what.cell);
}

// The two parts of a file.
struct Content {
  std::string choices, subject;
};

std::optional<Content> read(const std::string& path) {
  if (path.empty()) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text(kMostPlanBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (!text.starts_with(kHeader)) return std::nullopt;
  const std::size_t begin = std::string_view(kHeader).size(), end = text.find('\n', begin);
  if (end == std::string::npos) return std::nullopt;
  return Content{text.substr(begin, end - begin), text.substr(end + 1)};
}

// Takes the line that begins with `title` from the beginning of `text`, and returns its rest.
std::optional<std::string> take_line(std::string_view& text, std::string_view title) {
  const std::size_t end = text.find('\n');
  if (!text.starts_with(title) || end == std::string_view::npos) return std::nullopt;
  const std::string rest(text.substr(title.size(), end - title.size()));
  text.remove_prefix(end + 1);
  return rest;
}

std::optional<KeptPlan> plan_of(const Content& content) {
  std::string_view text = content.subject;
  const std::optional<std::string> cpu = take_line(text, "cpu ");
  (void)take_line(text, "machine ");
  const Result<ir::Module> parsed = ir::parse(text, "");
  if (!cpu || !parse_choices(content.choices) || !parsed || parsed->cells.size() != 1) return std::nullopt;
  const ir::Cell& cell = parsed->cells.front();
  KeptPlan plan{*cpu, cell.name, {}, content.choices};
  for (const ir::Node& node : cell.nodes)
    if (node.op == ir::Op::Input || node.op == ir::Op::State)
      plan.sizes.push_back(node.name + " : " + node.type.to_string());
  return plan;
}

}  // namespace

std::string tuned_path(const std::string& cache_folder, const TunedFor& what) {
  if (cache_folder.empty()) return {};
  return cache_folder + "/" + std::string(kPlanPrefix) + file_name_of(subject(what)) + std::string(kPlanSuffix);
}

std::string tuned_text(const TunedFor& what, const std::vector<PlanChoice>& choices) {
  std::string list;
  for (const PlanChoice& choice : choices) list += (list.empty() ? "" : ",") + print(choice);
  return kHeader + list + "\n" + subject(what);
}

std::vector<PlanChoice> read_tuned(const std::string& path, const TunedFor& what) {
  const std::optional<Content> content = read(path);
  if (!content || content->subject != subject(what)) return {};
  const auto choices = parse_choices(content->choices);
  return choices ? *choices : std::vector<PlanChoice>{};
}

TunedChoices tuned_choices(const ir::Cell& cell, const Target& target, const PlanOptions& options) {
  const Environment environment = read_environment();
  if (!environment.cache_reads || !options.choices.empty() || options.weights != runtime::kRowFormat) return {};
  const TunedFor what{cell, target, options.machine};
  TunedChoices found{tuned_path(environment.cache_dir, what), {}};
  found.choices = read_tuned(found.path, what);
  return found.choices.empty() ? TunedChoices{} : found;
}

std::vector<KeptPlan> kept_plans(const std::string& cache_folder) {
  std::vector<KeptPlan> plans;
  for (const std::string& path : kept_files(cache_folder, kPlanPrefix, kPlanSuffix))
    if (const std::optional<Content> content = read(path))
      if (std::optional<KeptPlan> plan = plan_of(*content)) plans.push_back(std::move(*plan));
  return plans;
}

std::vector<std::uint64_t> remove_plans(const std::string& cache_folder) {
  return remove_kept(cache_folder, kPlanPrefix, kPlanSuffix);
}

}  // namespace rnnc::compiler
