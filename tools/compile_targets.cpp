#include "tools/compile_targets.hpp"

#include <algorithm>
#include <utility>

#include "compiler/llvm/resolve_target.hpp"
#include "ir/environment.hpp"
#include "tools/exit_code.hpp"

namespace rnnc::tools {
namespace {

const std::vector<std::string> kLevels = {"x86-64-v2", "x86-64-v3", "x86-64-v4"};

// Weights for a CPU with FMA are prepared by code with FMA.
std::vector<std::string> portable_levels() {
  const Result<compiler::Target> host = compiler::resolve_target("host");
  if (host && host->fma) return kLevels;
  return {kLevels.front()};
}

}  // namespace

Result<std::vector<std::string>> targets_of(const std::vector<std::string>& targets) {
  if (targets.empty()) {
    const std::string from_environment = read_environment().isa;
    return from_environment.empty() ? portable_levels() : std::vector{from_environment};
  }
  std::vector<std::pair<int, std::string>> ranked;
  for (const std::string& cpu : targets) {
    if (cpu.empty()) return usage_error("--target", "a name is empty; leave the flag out for the usual levels");
    const Result<compiler::Target> target = compiler::resolve_target(cpu, false);
    if (!target) {
      Error error = target.error();
      error.message = "--target: " + error.message;
      return error;
    }
    ranked.emplace_back(target->lanes * 2 + (target->fma ? 1 : 0), cpu);
  }
  std::ranges::stable_sort(ranked, {}, &std::pair<int, std::string>::first);
  std::vector<std::string> sorted;
  for (auto& [rank, cpu] : ranked) sorted.push_back(std::move(cpu));
  return sorted;
}

}  // namespace rnnc::tools
