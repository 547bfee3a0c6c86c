#include "tests/support/trial.hpp"

#include <rnnc/ahead.hpp>
#include <rnnc/artifact.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <functional>
#include <span>

#include "compiler/llvm/resolve_target.hpp"
#include "compiler/schedule/lower.hpp"
#include "compiler/schedule/plan_stage.hpp"
#include "tests/support/gradients.hpp"
#include "tests/support/linked_object.hpp"
#include "tests/support/trainings.hpp"

namespace rnnc::test {
namespace {

constexpr std::string_view kPortable = "portable ";

bool is_portable(const std::string& executor) { return executor.starts_with(kPortable); }

std::string level_of(const std::string& executor) {
  return is_portable(executor) ? executor.substr(kPortable.size()) : executor;
}

bool has_fma(const std::string& executor) { return compiler::resolve_target(level_of(executor))->fma; }

std::optional<std::string> differ(const std::string& what, const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return what + " has another size";
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    if (std::bit_cast<std::uint32_t>(a[i]) == std::bit_cast<std::uint32_t>(b[i])) continue;
    char text[96];
    std::snprintf(text, sizeof text, "[%zu] is %.9g and %.9g", i, static_cast<double>(a[i]), static_cast<double>(b[i]));
    return what + text;
  }
  return std::nullopt;
}

// Of each stage one of the plans that are plausible.
std::string random_plan(const ir::Cell& cell, const Setting& setting) {
  const compiler::Target target = compiler::resolve_target(setting.executor).value();
  const compiler::PlanOptions options{.weights = setting.weights, .sparse = setting.sparse};
  const compiler::Schedule schedule = compiler::lower(cell, target, options).value().schedule;
  Random random(setting.seed);
  std::string plan;
  const auto candidates = compiler::plan_candidates(schedule, target, options);
  for (std::size_t s = 0; s < candidates.size(); ++s) {
    plan += (plan.empty() ? "" : ",") + print(compiler::choice_of(s, random.pick(candidates[s]).plan));
  }
  return plan;
}

}  // namespace

std::string_view name_of(Check check) {
  switch (check) {
    case Check::Interpreter: return "interpreter";
    case Check::Again: return "again";
    case Check::Alone: return "alone";
    case Check::Pieces: return "pieces";
    case Check::Threads: return "threads";
    case Check::Levels: return "levels";
    case Check::Plans: return "plans";
    case Check::Executors: return "executors";
    case Check::Artifact: return "artifact";
    case Check::Object: return "object";
    case Check::FloatModes: return "float modes";
    case Check::Gradients: return "gradients";
    case Check::Training: return "training";
  }
  return "";
}

std::optional<std::string> judge(const Subject& meant, const Setting& setting, const Data& data,
                                 const NetworkOutcome& outcome) {
  const double error = error_against_interpreter(meant, setting, data, outcome), most = most_error(setting);
  if (error <= most) return std::nullopt;
  char text[96];
  std::snprintf(text, sizeof text, "an error of %.3g against the interpreter, at most %.3g allowed", error, most);
  return text;
}

std::optional<std::string> differ(const NetworkOutcome& a, const NetworkOutcome& b) {
  if (auto difference = differ("y", a.y, b.y)) return difference;
  for (const auto& [name, values] : a.outputs)
    if (auto difference = differ("output " + name, values, b.outputs.at(name))) return difference;
  for (const auto& [name, values] : a.states)
    if (auto difference = differ(name, values, b.states.at(name))) return difference;
  return std::nullopt;
}

Trial::Trial(const Subject& subject, const Setting& setting)
    : subject_(subject),
      setting_(setting),
      data_(random_data(subject.graph, setting)),
      program_(compile(subject, setting)),
      outcome_(run(program_, subject.graph, data_)) {}

std::optional<std::string> Trial::fault(Check check) const {
  switch (check) {
    case Check::Interpreter: return interpreter();
    case Check::Again: return differ(run(program_, subject_.graph, data_), outcome_);
    case Check::Alone: return alone();
    case Check::Pieces: return pieces();
    case Check::Threads: return threads();
    case Check::Levels: return levels();
    case Check::Plans: return plans();
    case Check::Executors: return executors();
    case Check::Artifact: return artifact();
    case Check::Object: return object();
    case Check::FloatModes: return float_modes();
    case Check::Gradients: return gradients();
    case Check::Training: return training();
  }
  return std::nullopt;
}

// The bound of one step is tighter, so that it is asked too.
std::optional<std::string> Trial::interpreter() const {
  const bool integers = runtime::is_integer(setting_.weights);
  if (integers && subject_.graph.kind == ir::Graph::Kind::Network) return std::nullopt;
  auto fault = judge(subject_, setting_, data_, outcome_);
  if (fault || setting_.steps == 1) return fault;
  Setting once = setting_;
  once.steps = 1;
  const Data data = random_data(subject_.graph, once);
  fault = judge(subject_, once, data, run(program_, subject_.graph, data));
  return fault ? std::optional("after one step: " + *fault) : std::nullopt;
}

std::optional<std::string> Trial::alone() const {
  if (setting_.batch < 2) return std::nullopt;
  for (const std::int64_t b : {std::int64_t{0}, setting_.batch - 1}) {
    const NetworkOutcome one = run(program_, subject_.graph, test::alone(subject_.graph, data_, b));
    const NetworkOutcome its = test::alone(subject_.graph, outcome_, setting_.batch, b);
    if (auto difference = differ(one, its)) return "sequence " + std::to_string(b) + " alone: " + *difference;
  }
  return std::nullopt;
}

std::optional<std::string> Trial::pieces() const {
  if (setting_.ragged || setting_.steps < 2 || !program_.streams() || data_.batch.times.size() > 1 ||
      !data_.batch.times.contains(std::string(ir::kTime)))
    return std::nullopt;
  return differ(run_pieces(program_, subject_.graph, data_, {2, 1, 5}), outcome_);
}

std::optional<std::string> Trial::on(const Setting& other) const {
  auto difference = differ(run(compile(subject_, other), subject_.graph, data_), outcome_);
  if (!difference) return std::nullopt;
  return "on " + other.executor + " with " + std::to_string(other.threads) + " threads" +
         (other.plan.empty() ? "" : ", plan " + other.plan) + ": " + *difference;
}

std::optional<std::string> Trial::threads() const {
  Setting other = setting_;
  other.threads = setting_.threads == 1 ? 3 : 1;
  return on(other);
}

std::optional<std::string> Trial::levels() const {
  // Programs of integers have the same bits without fused multiply-adds.
  const auto is_alike = [&](const std::string& executor) {
    return runtime::is_integer(setting_.weights) || has_fma(executor);
  };
  if (!is_alike(setting_.executor)) return std::nullopt;
  for (const std::string& executor : test::executors()) {
    if (is_portable(executor) != is_portable(setting_.executor) || !is_alike(executor)) continue;
    Setting other = setting_;
    other.executor = executor;
    if (executor == setting_.executor) continue;
    if (auto difference = on(other)) return difference;
  }
  return std::nullopt;
}

std::optional<std::string> Trial::plans() const {
  if (is_portable(setting_.executor) || subject_.graph.kind == ir::Graph::Kind::Network) return std::nullopt;
  Setting other = setting_;
  other.plan = random_plan(ir::Cell(subject_.graph), setting_);
  return on(other);
}

std::optional<std::string> Trial::executors() const {
  Setting other = setting_;
  other.executor = level_of(setting_.executor);
  if (!is_portable(setting_.executor)) other.executor = std::string(kPortable) + other.executor;
  const std::vector<std::string> there = test::executors();
  if (std::ranges::find(there, other.executor) == there.end()) return std::nullopt;
  return on(other);
}

std::optional<std::string> Trial::artifact() const {
  if (is_portable(setting_.executor)) return std::nullopt;
  const std::vector<std::byte> file = compile_artifact(model_of(subject_), tensors_of(subject_),
                                                       {.cell = subject_.graph.name,
                                                        .targets = {setting_.executor},
                                                        .threads = setting_.threads,
                                                        .weights = setting_.weights,
                                                        .sparse = setting_.sparse,
                                                        .ranges = setting_.ranges})
                                          .value();
  const Program loaded =
      parse_artifact(file, "artifact", {.threads = setting_.threads, .sharing = setting_.sharing}).value();
  return differ(run(loaded, subject_.graph, data_), outcome_);
}

std::optional<std::string> Trial::object() const {
  if (is_portable(setting_.executor) || setting_.ragged || subject_.graph.kind == ir::Graph::Kind::Network)
    return std::nullopt;
  const ObjectFiles files = compile_object(model_of(subject_), tensors_of(subject_),
                                           {.name = "m",
                                            .targets = {setting_.executor},
                                            .weights = setting_.weights,
                                            .sparse = setting_.sparse,
                                            .ranges = setting_.ranges})
                                .value();
  return differ(run_object({files, program_.states()}, program_, subject_.graph, data_.batch, data_.states), outcome_);
}

// The interpreter computes in double precision, so that few steps and sequences say as much as many.
std::optional<std::string> Trial::gradients() const {
  Setting setting = setting_;
  setting.steps = std::min<std::int64_t>(setting.steps, 4);
  setting.batch = std::min<std::int64_t>(setting.batch, 3);
  return gradient_fault(subject_, setting);
}

// The interpreter takes minutes for the gradients of long sequences.
std::optional<std::string> Trial::training() const {
  Setting setting = setting_;
  setting.steps = std::min<std::int64_t>(setting.steps, 20);
  setting.batch = std::min<std::int64_t>(setting.batch, 20);
  return training_fault(subject_, setting);
}

std::optional<std::string> Trial::float_modes() const {
  for (const FloatMode& mode : test::float_modes())
    if (auto difference = differ(run(program_, subject_.graph, data_, &mode), outcome_))
      return to_string(mode) + ": " + *difference;
  return std::nullopt;
}

}  // namespace rnnc::test
