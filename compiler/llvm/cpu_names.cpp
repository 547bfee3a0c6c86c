#include "compiler/llvm/cpu_names.hpp"

#include <llvm/Config/llvm-config.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>

#include <algorithm>
#include <memory>

#include "compiler/llvm/resolve_target.hpp"
#include "compiler/llvm/target.hpp"

namespace rnnc::compiler {
namespace {

std::vector<std::string> cpus_of_llvm(Arch arch) {
  const Target generic = baseline(arch);
  const std::unique_ptr<llvm::MCSubtargetInfo> info(
      llvm_target(arch).createMCSubtargetInfo(triple_of(generic), generic.cpu, ""));
  std::vector<std::string> names;
  for (const llvm::SubtargetSubTypeKV& each : info->getAllProcessorDescriptions()) names.emplace_back(each.Key);
  return names;
}

std::vector<std::string> cpus_of(Arch arch) {
  switch (arch) {
    case Arch::X86_64:
    case Arch::AArch64:
    case Arch::Thumb7em:
    case Arch::Thumb81m:
    case Arch::Arm7a: return cpus_of_llvm(arch);
    case Arch::RiscV64: return {facts(arch).baseline_cpu, "-rvv128", "-rvv256", "-rvv512"};
    case Arch::RiscV32: return {facts(arch).baseline_cpu};
    case Arch::Wasm32: return {facts(arch).baseline_cpu, facts(arch).example_cpu};
  }
  return {};
}

}  // namespace

std::vector<std::string> cpu_names() {
  std::vector<std::string> names;
  for (const Arch arch : kArchs)
    for (const std::string& cpu : cpus_of(arch)) {
      const std::string name = name_of({.arch = arch, .cpu = cpu, .features = {}});
      if (resolve_target(name, false)) names.push_back(name);
    }
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

std::string llvm_version() { return LLVM_VERSION_STRING; }

}  // namespace rnnc::compiler
