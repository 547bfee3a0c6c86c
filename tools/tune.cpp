#include "tools/tune.hpp"

#include <algorithm>
#include <filesystem>
#include <span>
#include <system_error>

#include "compiler/schedule/limits.hpp"
#include "compiler/schedule/lower.hpp"
#include "compiler/schedule/plan_stage.hpp"
#include "compiler/schedule/tuned.hpp"
#include "import/write_file.hpp"
#include "ir/environment.hpp"
#include "tools/timing.hpp"

namespace rnnc::tools {
namespace {

using compiler::PlanChoice;

// So many of the plausible plans are timed, those that the cost model puts first: more would take long for little.
constexpr std::size_t kMostCandidates = 6;

std::string print_all(const std::vector<PlanChoice>& choices) {
  std::string text;
  for (const PlanChoice& choice : choices) text += (text.empty() ? "" : ",") + compiler::print(choice);
  return text;
}

// Lists the plans that are worth trying for a stage, the cost model's choice first.
std::vector<PlanChoice> choices_of(const compiler::Schedule& schedule, std::size_t stage,
                                   const compiler::Target& target, const compiler::PlanOptions& options) {
  auto candidates = compiler::plan_candidates(schedule, target, options).at(stage);
  candidates.resize(std::min(candidates.size(), kMostCandidates));
  std::vector<PlanChoice> choices;
  for (const compiler::Candidate& one : candidates) choices.push_back(compiler::choice_of(stage, one.plan));
  return choices;
}

using Compile = std::function<Result<Program>(const std::string&)>;
using Call = std::function<std::function<void()>(const Program&)>;

Result<void> try_stage(const std::vector<PlanChoice>& choices, int rounds, const Compile& compile, const Call& call,
                       const Report& report, Tuning& tuning) {
  std::vector<Program> programs;
  for (const PlanChoice& choice : choices) {
    report(0, "compiling plan " + compiler::print(choice));
    tuning.best[choice.stage] = choice;
    Result<Program> program = compile(print_all(tuning.best));
    if (!program) return program.error();
    programs.push_back(std::move(*program));
  }
  std::vector<Contestant> contestants;
  for (const Program& program : programs) contestants.push_back({call(program), {}});
  const std::vector<Times> times = time_in_turns(contestants, rounds, report);
  tuning.noise = worse_of(tuning.noise, noise_of(times));
  std::size_t best = 0;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (times[i].min() < times[best].min()) best = i;
    tuning.tried.push_back({choices[i], times[i].min(), i == 0});
  }
  tuning.best[choices[best].stage] = choices[best];
  return {};
}

}  // namespace

Result<Tuning> tune(const ir::Cell& cell, const compiler::Target& target, int rounds, const Compile& compile,
                    const Call& call, const Report& report) {
  const compiler::PlanOptions options{.machine = compiler::measured_machine(target)};
  const Result<compiler::Lowered> lowered = compiler::lower(cell, target, options);
  if (!lowered) return lowered.error();
  const std::size_t stages = lowered->schedule.stages.size();
  Tuning tuning;
  for (std::size_t i = 0; i < stages; ++i)
    tuning.best.push_back(choices_of(lowered->schedule, i, target, options).front());
  for (std::size_t i = 0; i < stages; ++i) {
    const std::vector<PlanChoice> choices = choices_of(lowered->schedule, i, target, options);
    if (choices.size() == 1) continue;
    const auto begin = static_cast<double>(i), all = static_cast<double>(stages);
    const Report of_stage = part_of(report, begin / all, (begin + 1) / all);
    if (const auto tried = try_stage(choices, rounds, compile, call, of_stage, tuning); !tried) return tried.error();
  }
  return tuning;
}

Result<std::string> keep(const Tuning& tuning, const ir::Cell& cell, const compiler::Target& target) {
  const Environment environment = read_environment();
  const compiler::TunedFor what{cell, target, compiler::measured_machine(target)};
  const std::string path = compiler::tuned_path(environment.cache_dir, what);
  if (path.empty() || !environment.cache_writes) return std::string();
  std::error_code failed;
  std::filesystem::create_directories(environment.cache_dir, failed);
  const std::string text = compiler::tuned_text(what, tuning.best);
  const Result<void> written = files::write_file(path, {std::as_bytes(std::span(text))});
  if (!written) return written.error();
  return path;
}

}  // namespace rnnc::tools
