#include "compiler/llvm/cpu_names.hpp"

#include <llvm/Config/llvm-config.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>

#include <algorithm>
#include <memory>

#include "compiler/llvm/resolve_target.hpp"
#include "compiler/llvm/target.hpp"

namespace rnnc::compiler {

std::vector<std::string> cpu_names() {
  std::vector<std::string> names;
  for (const Arch arch : kArchs) {
    const Target generic = baseline(arch);
    const std::unique_ptr<llvm::MCSubtargetInfo> info(
        llvm_target(arch).createMCSubtargetInfo(triple_of(generic), generic.cpu, ""));
    for (const llvm::SubtargetSubTypeKV& each : info->getAllProcessorDescriptions()) {
      const std::string name = name_of({.arch = arch, .cpu = each.Key, .features = {}});
      if (resolve_target(name, false)) names.push_back(name);
    }
  }
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

std::string llvm_version() { return LLVM_VERSION_STRING; }

}  // namespace rnnc::compiler
